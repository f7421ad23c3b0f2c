/** A file of its own, so that the content policy can forbid styles within the page. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ink: #1c2126; --soft: #5b6670; --line: #dde2e6; --page: #f7f8f9; --card: #fff;
  --well: #1d7a46; --ill: #b3261e; --ill-page: #fdf1f0; --warn: #8a5a00; --link: #0b5cad;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6eaee; --soft: #9aa7b3; --line: #2c343c; --page: #14181c; --card: #1b2127;
    --well: #5fd394; --ill: #ff8a80; --ill-page: #2a1a1a; --warn: #f0b64b; --link: #7ab8ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 72rem; padding: 1.5rem 1.25rem 3rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
header { display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: baseline; justify-content: space-between; }
h1 { font-size: 1.15rem; margin: 0; letter-spacing: .01em; }
h2 { font-size: 1rem; margin: 0 0 .75rem; }
nav { display: flex; gap: 1.25rem; }
a { color: var(--link); text-underline-offset: .2em; }
nav a[aria-current] { color: inherit; text-decoration: none; font-weight: 600; }
section { margin-top: 2rem; }
.health { border-left: .3rem solid var(--mood); background: var(--card); padding: .9rem 1.1rem; border-radius: .3rem; }
.ok { --mood: var(--well); } .waiting { --mood: var(--warn); } .broken { --mood: var(--ill); }
.health.broken { background: var(--ill-page); }
.health h2 { margin: 0; font-size: 1.35rem; color: var(--mood); }
.health ul { margin: .4rem 0 0; padding: 0; list-style: none; overflow-wrap: anywhere; }
.health p { margin: .3rem 0 0; color: var(--soft); font-size: .9rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 0 1.5rem; }
.pair section { display: flex; flex-direction: column; }
.pair .tiles { flex: 1; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); gap: .75rem; margin: 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .7rem .9rem; }
.tile dt { color: var(--soft); font-size: .85rem; }
.tile dd { margin: 0; display: grid; overflow-wrap: anywhere; }
.tile b { font-size: 1.6rem; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile.text b { font-size: 1.2rem; line-height: 1.67; }
.tile small { color: var(--soft); font-size: .8rem; }
.tile.warn { border-color: var(--warn); }
.tile.warn b { color: var(--warn); }
.count { color: var(--soft); font-weight: 400; font-variant-numeric: tabular-nums; }
.codes { display: flex; flex-wrap: wrap; gap: .4rem 1.25rem; list-style: none; margin: 0 0 .75rem; padding: 0; }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { caption-side: bottom; text-align: left; color: var(--soft); font-size: .8rem; padding: .5rem .9rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .9rem; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 500; white-space: nowrap; }
tbody th { font-weight: 600; min-width: 8rem; max-width: 18rem; overflow-wrap: anywhere; }
td { overflow-wrap: anywhere; }
time { white-space: nowrap; }
td code { white-space: nowrap; }
code { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.success { color: var(--well); } .failure { color: var(--ill); }
.unavailable { color: var(--warn); } .empty { color: var(--soft); }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .8rem; }
`;
