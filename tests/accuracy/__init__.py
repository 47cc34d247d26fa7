"""Accuracy reports: tables of kanviz beside published numbers, each made by one command."""
