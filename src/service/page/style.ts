/** The page's whole style, light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --dim: #66717f; --line: #e3e7ec; --card: #fff; --page: #f5f7f9;
  --a: #2563c9; --b: #d97706; --good: #17803d; --bad: #c0272d }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ef; --dim: #93a0af; --line: #2c3542; --card: #19202a;
  --page: #11161d; --a: #6ea8ff; --b: #f0a94a; --good: #4cc777; --bad: #ff7b72 } }
* { box-sizing: border-box }
body { margin: 0; padding: 1.2rem clamp(.8rem, 3vw, 2.4rem); background: var(--page); color: var(--ink);
  font: 14px/1.45 system-ui, sans-serif; transition: opacity .3s }
body.gone { opacity: .45 }
header { display: flex; flex-wrap: wrap; gap: .4rem .9rem; align-items: baseline }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1rem; margin: 0 0 .4rem }
header ul { display: flex; flex-wrap: wrap; gap: .4rem; list-style: none; margin: 0; padding: 0 }
header li { padding: .1rem .6rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--card); font-size: .8rem;
  max-width: 34rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
header li::before { content: "●"; margin-right: .4rem }
li.good::before { color: var(--good) } li.bad::before { color: var(--bad) }
.state { font-weight: 600; padding: .1rem .7rem; border-radius: 1rem; color: var(--card) }
.state.good { background: var(--good) } .state.bad { background: var(--bad) }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem; margin: 1rem 0 }
dl div, figure, .tables > div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .6rem .8rem }
dt { color: var(--dim); font-size: .8rem } dd { margin: 0; font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: .6rem }
figure { margin: 0 } figcaption { display: flex; flex-wrap: wrap; gap: .2rem .9rem; align-items: baseline }
.key { font-size: .8rem; color: var(--dim) } .key b { color: var(--ink); font-variant-numeric: tabular-nums }
.key::before { content: ""; display: inline-block; width: .9rem; border-top: 2px solid var(--a); margin-right: .35rem; vertical-align: middle }
.key.s1::before { border-color: var(--b) } .key.bound::before { border-top-style: dashed }
svg { width: 100%; height: auto; display: block } svg line { stroke: var(--line) }
polyline { fill: none; stroke: var(--a); stroke-width: 1.6; stroke-linejoin: round } polyline.s1 { stroke: var(--b) }
polyline.bound { stroke-dasharray: 5 4 }
.axis { fill: var(--dim); font-size: 10px } .end { text-anchor: end }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr)); gap: .6rem; margin-top: .6rem }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th { text-align: left; color: var(--dim); font-weight: 500; font-size: .8rem } th, td { padding: .15rem .6rem .15rem 0; white-space: nowrap }
td:last-child:not(.number) { white-space: normal; min-width: 8rem }
tbody tr { border-top: 1px solid var(--line) } .number { text-align: right }
footer { color: var(--dim); font-size: .8rem; margin-top: .9rem } footer a { color: inherit }
p { margin: .4rem 0 0; color: var(--dim) }
`
