/** How the page looks: two themes from one set of variables, a phone, a screen and paper. */
import { dark, light, variables } from './palette.js';

const darkVariables = variables(dark);

const page = `
*{box-sizing:border-box}
html{font:16px/1.55 Inter,ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;background:var(--ground);color:var(--ink);-webkit-text-size-adjust:100%;scroll-behavior:smooth;scroll-padding-top:1rem}
body{margin:0 auto;max-width:74rem;padding:0 clamp(1rem,4vw,2.5rem) 4rem}
h1,h2,h3,h4,p,ul,dl,dd,figure{margin:0;padding:0}
h1{font-size:clamp(1.75rem,4.4vw,2.9rem);line-height:1.14;letter-spacing:-.028em;font-weight:680;text-wrap:balance}
h2{font-size:1.4rem;letter-spacing:-.018em;font-weight:660;line-height:1.25}
h3{font-size:1.02rem;font-weight:640}
h4{font-size:.85rem;font-weight:620;margin:1.1rem 0 .45rem}
a{color:var(--accent);text-underline-offset:.18em;text-decoration-thickness:1px}
small,.quiet,caption,figcaption{color:var(--muted);font-size:.85rem;font-weight:400}
b,.strong{font-weight:640}
.number,dd,.count{font-variant-numeric:tabular-nums}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:1rem;top:-4rem;background:var(--panel);padding:.5rem 1rem;border-radius:.4rem;z-index:9}
.skip:focus{top:.5rem}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
button,input{font:inherit;font-size:.85rem;color:var(--ink);background:var(--panel);border:1px solid var(--line);border-radius:.45rem;padding:.35rem .75rem}
button{cursor:pointer}
button:hover{border-color:var(--muted)}
[hidden]{display:none!important}
`;

const top = `
header{display:flex;align-items:center;gap:1.5rem;padding:1.1rem 0;border-bottom:1px solid var(--line)}
.brand{display:flex;align-items:center;gap:.5rem;font-weight:700;letter-spacing:-.02em;font-size:1.1rem}
.mark{fill:none;stroke:var(--accent);stroke-width:1.7;stroke-linejoin:round;stroke-linecap:round}
.mark path:first-child{fill:var(--accent-mid)}
nav{display:flex;gap:1.2rem;margin-left:auto;font-size:.9rem}
nav a{color:var(--muted);text-decoration:none}
nav a:hover{color:var(--ink)}
.hero{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:2.5rem;align-items:center;padding:clamp(2.2rem,6vw,4.2rem) 0 clamp(1.8rem,4vw,2.8rem)}
.kicker{color:var(--accent);font-size:.86rem;font-weight:600;margin-bottom:.9rem}
.lead{margin:1.1rem 0 .5rem;max-width:46rem;font-size:1.08rem;text-wrap:pretty}
.score{display:flex;flex-direction:column;align-items:center;text-align:center;width:11rem}
.score p{line-height:1.35;margin-top:.35rem}
.score .quiet{display:block}
.ring{fill:none;stroke:var(--line);stroke-width:9}
.filled{stroke-linecap:round;stroke:var(--accent)}
.grade-C,.grade-D{stroke:var(--amber)}
.grade-F{stroke:var(--red)}
.letter{font-size:42px;font-weight:700;fill:var(--ink);letter-spacing:-.03em}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,18rem),1fr));gap:1rem}
.figure{background:var(--panel);border:1px solid var(--line);border-radius:.9rem;padding:1.25rem 1.4rem 1.35rem}
.figure h2{font-size:.9rem;font-weight:560;color:var(--muted);letter-spacing:0}
.big{font-size:2.3rem;font-weight:680;letter-spacing:-.035em;line-height:1.2;margin:.1rem 0 .9rem}
.big small{font-size:1rem;letter-spacing:0}
.bars+.quiet{margin-top:.7rem}
.bars>div{display:grid;grid-template-columns:3rem 1fr;align-items:center;font-size:.9rem;margin-top:.5rem}
.bars dt{color:var(--muted)}
.bars dd{display:grid;grid-template-columns:5.6rem 1fr;gap:.8rem;align-items:center}
.bars b{text-align:right}
.bar,.stack{display:block}
.track{fill:var(--raised)}
.now .fill{fill:var(--grey-mid)}
.after .fill{fill:var(--accent)}
.stack{border-radius:6px;overflow:hidden}
`;

/** A verdict is a hue, in every drawing and table alike. */
const hues = (
  [
    ['slice', 'accent'],
    ['whole-gpu', 'slate'],
    ['share', 'plum'],
    ['no-gpu', 'amber'],
    ['unknown', 'grey'],
  ] as const
)
  .map(
    ([verdict, hue]) =>
      `.v-${verdict}{--hue:var(--${hue});--pale:var(--${hue}-pale);--mid:var(--${hue}-mid)}`,
  )
  .join('\n');

const drawings = `
${hues}
.stack rect{fill:var(--mid);stroke:var(--panel);stroke-width:2}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;font-size:.88rem;margin-top:.8rem}
.legend li::before{content:"";display:inline-block;width:.7rem;height:.7rem;border-radius:.2rem;background:var(--mid);margin-right:.45rem}
.legend .free::before{background:none;border:1px dashed var(--grey)}
.chip{display:inline-block;background:var(--pale);color:var(--hue);font-size:.8rem;font-weight:600;padding:.08rem .55rem;border-radius:1rem;white-space:nowrap}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1.5rem 2.5rem;margin-top:1.2rem}
.cards{list-style:none;display:grid;gap:.4rem}
.cards li{display:grid;grid-template-columns:2.6rem minmax(0,1fr);align-items:center}
.count{color:var(--muted);font-size:.88rem}
.gpu,.chart{display:block}
.held{fill:var(--pale)}
.used{fill:var(--mid)}
.edge{fill:none;stroke:var(--ground);stroke-width:3}
.free .held{fill:url(#hatch)}
.hatch{stroke:var(--grey-mid);stroke-width:1.4;fill:none}
.gpu text{font-size:12.5px;font-weight:600;fill:var(--ink)}
.gpu .profile{font-size:11.5px;font-weight:400}
.free text{paint-order:stroke;stroke:var(--ground);stroke-width:5px;stroke-linejoin:round}
.grid{stroke:var(--line);stroke-width:1}
.tick{font-size:11.5px;fill:var(--muted)}
.chart text{paint-order:stroke;stroke:var(--panel);stroke-width:4px;stroke-linejoin:round}
.use{fill:var(--accent-pale);stroke:var(--accent);stroke-width:1.6;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.spare{fill:url(#hatch);opacity:.4}
.limit{stroke-width:1.6}
.limit.now{stroke:var(--grey);stroke-dasharray:5 4}
.limit.then{stroke:var(--accent)}
.limit-name{font-size:12px;font-weight:600}
.limit-name.now{fill:var(--grey)}
.limit-name.then{fill:var(--accent)}
.peak{fill:var(--panel);stroke:var(--accent);stroke-width:2}
.hover{fill:transparent}
.hover:hover{fill:var(--ink);fill-opacity:.07}
`;

const parts = `
main>section:not(.hero,.figures){margin-top:clamp(2.8rem,6vw,4.2rem)}
.scroll{position:relative;overflow-x:auto;margin-top:1rem;background:var(--panel);border:1px solid var(--line);border-radius:.9rem}
table{border-collapse:collapse;width:100%;font-size:.87rem;line-height:1.4}
caption{text-align:left;padding:.85rem 1rem .2rem}
th,td{padding:.6rem .55rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th:first-child{padding-left:1rem}
tr>:last-child{padding-right:1rem}
tbody tr:last-child>*{border-bottom:0}
tfoot>tr>*{border-top:1px solid var(--line);border-bottom:0;font-weight:400;color:var(--muted)}
thead th{font-weight:560;color:var(--muted);font-size:.82rem;vertical-align:bottom;white-space:nowrap}
th.number,td.number{text-align:right;white-space:nowrap}
thead button{all:unset;cursor:pointer;position:relative}
thead button:focus-visible{outline:2px solid var(--accent);outline-offset:3px;border-radius:2px}
[aria-sort=ascending]> button::after{content:"↑";position:absolute;right:-.8em}
[aria-sort=descending]> button::after{content:"↓";position:absolute;right:-.8em}
tbody th{font-weight:620;overflow-wrap:anywhere;min-width:11rem}
tbody th small{display:block}
td small{display:inline-block}
.long{table-layout:fixed;min-width:74rem}
.long th:first-child{width:20%}
.change-cell{min-width:11rem}
.workloads tbody tr:hover>*{background:var(--raised)}
.workloads tbody th{box-shadow:inset 3px 0 0 var(--mark,transparent)}
.s-critical{--mark:var(--red)}
.s-warning{--mark:var(--amber-mid)}
.arrow{color:var(--muted)}
.models{max-width:none}
.filter{display:flex;gap:1rem;align-items:center;margin-top:1rem;font-size:.9rem}
.filter input{width:min(20rem,60vw);margin-left:.4rem}
.beside{display:flex;justify-content:space-between;align-items:center;gap:1rem;margin-bottom:1rem}
.workload{background:var(--panel);border:1px solid var(--line);border-radius:.9rem;padding:0 1.25rem;margin-top:.7rem}
summary{display:flex;flex-wrap:wrap;align-items:baseline;gap:.1rem .8rem;padding:.85rem 0;cursor:pointer;list-style:none}
summary::-webkit-details-marker{display:none}
summary::before{content:"";width:.45rem;height:.45rem;border:solid var(--muted);border-width:0 1.6px 1.6px 0;transform:rotate(-45deg) translate(-.1rem,-.1rem);flex:none}
[open]>summary::before{transform:rotate(45deg) translate(-.1rem,-.1rem)}
details>p:not(.remark){margin-top:0}
summary h3{overflow-wrap:anywhere;min-width:0}
.where{color:var(--muted);font-size:.85rem;overflow-wrap:anywhere;min-width:0}
.change{margin-left:auto;font-size:.9rem}
.workload>p{max-width:52rem}
.remark{background:var(--amber-pale);color:var(--ink);border-radius:.6rem;padding:.6rem .9rem;margin-top:.7rem;font-size:.92rem}
figure{margin:1.1rem 0 .9rem}
figcaption{margin-top:.2rem}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:.9rem 2rem;padding:.4rem 0 1.3rem;font-size:.9rem}
.facts dt{color:var(--muted);font-size:.82rem}
.facts dd{overflow-wrap:anywhere}
section>ul:not([class]),.sides ul:not([class]){padding-left:1.1rem;margin-top:.5rem;max-width:52rem}
li+li{margin-top:.25rem}
.legend li+li,.cards li+li{margin-top:0}
.gives,.takes{border-top:3px solid var(--accent-mid);padding-top:.8rem}
.takes{border-color:var(--amber-mid)}
.rare{list-style:none;margin-top:1rem;display:grid;gap:.6rem}
.rare li{background:var(--amber-pale);border-radius:.6rem;padding:.7rem 1rem;margin:0;overflow-wrap:anywhere}
#method~h3{margin-top:1rem}
footer{margin-top:4rem;border-top:1px solid var(--line);padding-top:1.2rem;color:var(--muted);font-size:.85rem}
@media(max-width:48rem){.hero{grid-template-columns:minmax(0,1fr);gap:1.5rem}.score{flex-direction:row;text-align:left;width:auto;gap:1.1rem}.score svg{width:92px;height:92px;flex:none}nav{display:none}header{justify-content:space-between}.narrow text,.extra{display:none}.change{margin-left:0;flex-basis:100%}.workload{padding:0 .9rem}}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
`;

const paper = `
@media print{
@page{margin:14mm}
html{font-size:11px;background:#fff}
body{max-width:none;padding:0}
[data-tool],nav,.skip{display:none!important}
.scroll{overflow:visible;border:0}
table{font-size:9.5px}
th,td{padding:.35rem .4rem;white-space:normal!important}
tbody th{min-width:0}
thead{display:table-header-group}
tr,.figure,.cards li,.workload[open],.rare li,figure{break-inside:avoid}
h2,h3,h4{break-after:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`;

const lightVariables = variables(light);

/** Paper is light whatever the reader chose. */
export const style = `
:root{color-scheme:light;${lightVariables}}
@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;${darkVariables}}}
@media screen{:root[data-theme=dark]{color-scheme:dark;${darkVariables}}}
${page}${top}${drawings}${parts}${paper}`;

/** SHA-256 of the style: a test holds the two together. */
export const styleHash = 'sha256-y3nthuq918rXLuuJwdSEw/iQMMrBwuDMoxvxBqWXC8k=';
