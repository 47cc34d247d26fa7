"""Style sheets of what a browser shows: colours as custom properties, light and dark.

All names begin with ``kanviz``, so that nothing of a notebook around it changes, and two pictures
on one page share the same rules.
"""

from dataclasses import asdict

from kanviz.views.theme import DARK, LIGHT, Theme


def _variables(theme: Theme) -> str:
    """Return the colours of ``theme`` as declarations, such as ``--kanviz-paper:#ffffff``."""
    return ";".join(f"--kanviz-{name}:{color}" for name, color in asdict(theme).items())


# The reader's system chooses, a notebook that says what it is set to overrules that, and paper is
# always light. Most particular last.
_COLORS = f"""
.kanviz{{{_variables(LIGHT)}}}
@media screen and (prefers-color-scheme:dark){{.kanviz{{{_variables(DARK)}}}}}
@media screen{{
[data-jp-theme-light="true"] .kanviz,.vscode-light .kanviz{{{_variables(LIGHT)}}}
[data-jp-theme-light="false"] .kanviz,.vscode-dark .kanviz{{{_variables(DARK)}}}
}}"""

# A pale edge is mixed with the paper, not see-through, or many of them would add up to a dark one;
# only a browser that cannot mix makes it see-through.
PICTURE = f"""{_COLORS}
svg.kanviz{{display:block;font-family:system-ui,sans-serif}}
.kanviz-scroll{{overflow-x:auto;scrollbar-width:thin}}
.kanviz-scroll svg{{max-width:100%;min-width:var(--kanviz-least);height:auto}}
.kanviz-paper{{fill:var(--kanviz-paper)}}
.kanviz-spline{{--kanviz-state:var(--kanviz-spline)}}
.kanviz-symbolic{{--kanviz-state:var(--kanviz-symbolic)}}
.kanviz-pruned{{--kanviz-state:var(--kanviz-pruned)}}
.kanviz-frozen,.kanviz-locked{{--kanviz-state:var(--kanviz-ink)}}
.kanviz-edge,.kanviz-key{{fill:none;stroke:var(--kanviz-state)}}
@supports (color:color-mix(in srgb,red,red)){{
.kanviz-edge{{--kanviz-mixed:var(--kanviz-state) var(--kanviz-share),var(--kanviz-paper);
stroke:color-mix(in srgb,var(--kanviz-mixed));stroke-opacity:1}}
}}
.kanviz-edge rect{{fill:var(--kanviz-panel)}}
.kanviz-edge line{{stroke:var(--kanviz-hair);stroke-width:.7;stroke-opacity:1}}
.kanviz-edge *{{vector-effect:non-scaling-stroke}}
.kanviz-edge polyline{{stroke-linecap:round;stroke-linejoin:round}}
.kanviz-pruned path,.kanviz-pruned rect{{stroke-dasharray:3 2.5}}
.kanviz-key.kanviz-pruned{{stroke-dasharray:6 5}}
.kanviz-edge:hover{{stroke:var(--kanviz-state);stroke-opacity:1}}
.kanviz-edge:hover rect,.kanviz-edge:hover path{{stroke-width:2}}
.kanviz-node{{fill:var(--kanviz-ink);stroke:var(--kanviz-ink)}}
.kanviz-bare{{fill:var(--kanviz-paper);stroke:var(--kanviz-pruned)}}
.kanviz-badge{{fill:none;stroke:var(--kanviz-ink);pointer-events:none}}
.kanviz-badge circle{{fill:var(--kanviz-paper);stroke:none}}
.kanviz text{{fill:var(--kanviz-ink)}}
.kanviz .kanviz-title{{font-weight:600}}
.kanviz .kanviz-note{{fill:var(--kanviz-muted)}}
.kanviz .kanviz-formula{{fill:var(--kanviz-symbolic);stroke:var(--kanviz-paper);stroke-width:4;
paint-order:stroke;stroke-linejoin:round;pointer-events:none}}
"""
"""Of the picture alone."""

PAGE = """
html.kanviz{background:var(--kanviz-paper);color:var(--kanviz-ink);color-scheme:light dark;
font:16px/1.5 system-ui,sans-serif;-webkit-text-size-adjust:100%}
body{margin:0}
main{max-width:1200px;margin:0 auto;padding:2.5rem 1.5rem 4rem}
h1{margin:0;font-size:1.6rem;line-height:1.25;font-weight:600;overflow-wrap:anywhere;
text-wrap:balance}
h2{margin:3rem 0 0;font-size:1.1rem;font-weight:600}
p{margin:.3rem 0 0;color:var(--kanviz-muted)}
.kanviz-scroll:focus-visible{outline:2px solid var(--kanviz-spline);outline-offset:4px}
.kanviz-scroll svg{margin:2rem auto 0}
table{width:100%;margin-top:1rem;border-collapse:collapse;font-size:.9rem;
font-variant-numeric:tabular-nums}
th,td{padding:.45rem 1.25rem .45rem 0;text-align:left;vertical-align:baseline;
border-bottom:1px solid var(--kanviz-hair)}
th{font-weight:600;color:var(--kanviz-muted);white-space:nowrap}
th:last-child,td:last-child{padding-right:0}
td{white-space:nowrap}
td.kanviz-words{white-space:normal;overflow-wrap:anywhere;min-width:4rem;max-width:22rem}
td.kanviz-words:last-child{min-width:12rem}
th.kanviz-number,td.kanviz-number{text-align:right}
td small{color:var(--kanviz-muted)}
code{font:.95em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.kanviz-dot{display:inline-block;width:.6em;height:.6em;margin-right:.5em;border-radius:50%;
background:var(--kanviz-state)}
@media (max-width:600px){
main{padding:1.5rem 1rem 3rem}h1{font-size:1.3rem}
td.kanviz-words:last-child{white-space:nowrap;max-width:none}
}
@media print{
main{max-width:none;padding:0}
.kanviz-scroll{overflow:visible}
.kanviz-scroll svg{min-width:0!important}
table{font-size:8pt}
tr{break-inside:avoid}h2{break-after:avoid}
.kanviz-dot{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""
"""Of the page around a picture."""
