"""The style sheet of a report: on a screen, light or dark, on a phone, on paper."""

STYLE = """
:root{color-scheme:light dark;--ground:#fff;--raised:#f6f7f9;--line:#d9dde3;--text:#1b2027;\
--quiet:#57606c;--link:#0a5f87;--added:#e2f5e6;--removed:#fde8e6;--best:#e3f4e8}
@media screen and (prefers-color-scheme:dark){:root{--ground:#14171b;--raised:#1d2127;\
--line:#343a43;--text:#e5e8ec;--quiet:#a2abb7;--link:#6cc0e8;--added:#15341f;--removed:#431f1c;\
--best:#15301f}}
*{box-sizing:border-box}
html{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;\
background:var(--ground);color:var(--text)}
body{margin:0}
main{max-width:90rem;margin:auto;padding:1rem}
h1{font-size:1.5rem;margin:.5rem 0;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
p,ul{margin:.5rem 0;overflow-wrap:anywhere}
ul{padding-left:1.2rem}
a{color:var(--link)}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;padding:0}
code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;\
font-size:.9em}
pre{background:var(--raised);border:1px solid var(--line);border-radius:6px;padding:.5rem .7rem;\
margin:.5rem 0;overflow:auto}
.scroll{overflow:auto;max-width:100%;margin:.5rem 0}
:focus-visible{outline:2px solid var(--link);outline-offset:1px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.88em}
caption{text-align:left;color:var(--quiet);padding:.2rem 0}
th,td{text-align:left;vertical-align:top;padding:.2rem .4rem;border-bottom:1px solid var(--line);\
max-width:28rem;overflow-wrap:break-word}
thead th{background:var(--raised);white-space:nowrap}
tbody th{font-weight:400;white-space:nowrap}
.n{text-align:right;white-space:nowrap}
td b{background:var(--best);padding:0 .25em;border-radius:3px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem}
figure{margin:0;min-width:0;overflow:auto}
.chart{width:100%;max-width:56rem;min-width:28rem;height:auto}
.sample{margin-right:.4em;vertical-align:middle}
img{max-width:100%;height:auto;background:#fff}
.pixels{image-rendering:pixelated}
pre:not([tabindex]){white-space:pre-wrap;overflow-wrap:anywhere}
figcaption{overflow-wrap:anywhere;color:var(--quiet)}
details{margin:.5rem 0}
summary{cursor:pointer;overflow-wrap:anywhere}
ins,del{text-decoration:none;display:block}
ins{background:var(--added)}
del{background:var(--removed)}
@page{margin:14mm}
@page wide{size:A4 landscape;margin:10mm}
@media print{
:root{color-scheme:light}
html{font-size:9pt}
main{max-width:none;padding:0}
table{font-size:.85em}
main.wide{page:wide}
.wide table{font-size:.75em}
thead .n{white-space:normal}
tbody th:has(.sample){white-space:nowrap}
nav{display:none}
h1,h2,caption,summary{break-after:avoid}
tr,figure,img,li{break-inside:avoid}
thead{display:table-header-group}
.scroll,pre,figure{overflow:visible}
th,td,tbody th,thead th{white-space:normal;padding:.1rem .3rem}
.long{overflow-wrap:anywhere;min-width:4.5em}
.tight th,.tight td{overflow-wrap:anywhere;white-space:normal;min-width:2.8em}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
.charts{display:block}
.chart{min-width:0;width:150mm}
.wide .charts{display:grid;grid-template-columns:1fr 1fr}
.wide .chart{width:100%}
ins,del,thead th,td b{print-color-adjust:exact;-webkit-print-color-adjust:exact}
details::details-content{content-visibility:visible;block-size:auto}
a{color:inherit}
}
"""
