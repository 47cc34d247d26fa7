"""How fast kanviz is beside an MLP and other KAN libraries: one command, a table and plots."""
