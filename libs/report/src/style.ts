/** Dashes of the lines of a chart, so that colour is not all that tells them apart. */
const dashes = ["none", "8 4", "2 3", "12 4 2 4", "5 5", "14 6", "2 6", "8 3 2 3 2 3"];

/** The page's style: two themes by what the reader's system prefers, one column, nothing that has to be fetched. */
export const style = `
:root{color-scheme:light dark;--ground:#fff;--panel:#f6f7f9;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;--link:#0550ae;--bad:#a40e26;
--c0:#2563b0;--c1:#b45309;--c2:#0f766e;--c3:#a21caf;--c4:#4d7c0f;--c5:#b91c1c;--c6:#6d4fc2;--c7:#77808a}
@media (prefers-color-scheme:dark){:root{--ground:#0f1216;--panel:#181c22;--text:#e6e9ed;--soft:#a3adb8;--line:#363d47;--link:#79b8ff;--bad:#ff8f98;
--c0:#4a86dc;--c1:#f0a04b;--c2:#3fc7b5;--c3:#e08bea;--c4:#9ccc4a;--c5:#ff7b72;--c6:#b09cff;--c7:#8b949e}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,sans-serif}
header,main,footer{max-width:60rem;margin:0 auto;padding:1rem}
header{padding-top:2rem}
h1{font-size:1.75rem;line-height:1.25;margin:0 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:0 0 .75rem}
h3{font-size:1rem;margin:1.25rem 0 .25rem}
p{margin:.5rem 0;max-width:46rem;overflow-wrap:anywhere}
a{color:var(--link)}
nav ul,.legend{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;margin:1rem 0 0;padding:0}
nav a{display:inline-block;padding:.15rem 0}
section{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:1rem;margin:0 0 1rem}
.note,.legend{color:var(--soft);font-size:.875rem}
.legend li{overflow-wrap:anywhere}
.bad{color:var(--bad);font-weight:600}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.75rem;margin:.5rem 0 1rem}
.figures dt{color:var(--soft);font-size:.875rem}
.figures dd{margin:0;font-size:1.25rem;font-weight:600;overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:.5rem 0}
table{border-collapse:collapse;font-size:.875rem;width:100%}
caption{text-align:left;color:var(--soft);padding:.25rem 0;font-weight:600}
th,td{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-top:1px solid var(--line);overflow-wrap:break-word;max-width:24rem}
th{border-top:0;white-space:nowrap}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td code{display:inline-block;min-width:16.5rem}
code{font:.8125rem ui-monospace,monospace;overflow-wrap:anywhere}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--link);padding:.25rem 0}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--link);outline-offset:2px}
svg{display:block;width:100%;height:auto;max-width:46rem;font:15px system-ui,sans-serif;fill:var(--text);margin:.25rem 0}
svg .tick{fill:var(--soft);font-size:14px}
svg .value{font-weight:600}
svg .grid{stroke:var(--line)}
svg .whisker,svg .mark{stroke:var(--text);stroke-width:2;fill:none}
svg .mark{stroke-dasharray:5 3}
svg .line{fill:none;stroke-width:2.5;stroke-linejoin:round}
svg.map{background:var(--ground);border:1px solid var(--line);border-radius:6px}
svg.map circle{fill-opacity:.8;stroke:var(--ground);stroke-width:.75}
svg.map circle:hover{stroke:var(--text);stroke-width:2.5;fill-opacity:1}
svg.key{display:inline-block;width:.75rem;height:.75rem;margin:0 .375rem 0 0}
svg.key.wide{width:2.25rem}
${Array.from({ length: 8 }, (_, i) => `.c${i}{fill:var(--c${i})}.l${i}{stroke:var(--c${i});stroke-dasharray:${dashes[i]}}`).join("")}
@media (max-width:40rem){header,main,footer{padding:.75rem}section{padding:.75rem}svg{font-size:24px}svg .tick{font-size:22px}table{width:max-content;min-width:100%}th,td{max-width:16rem}}
@media print{section{break-inside:avoid}}
`;
