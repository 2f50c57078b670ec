// The parts of the page, of which one is shown; the theme; the start.

const views = new Map([...document.querySelectorAll('[data-view]')].map((section) => [section.dataset.view, section]));
const drawers = { leaderboard: drawTables, charts: drawCharts, gallery: drawGallery, differs: drawDiffers };

function show(first) {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const view = views.has(wanted) ? wanted : 'leaderboard';
  for (const [name, section] of views) section.hidden = name !== view;
  const part = view.startsWith('method-') ? 'methods' : view;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.hash === `#${part}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  drawers[view]?.();
  if (view.startsWith('method-')) drawMethod(views.get(view));
  if (!first) {
    scrollTo(0, 0);
    byId('main').focus({ preventScroll: true });
  }
}

function dress(theme) {
  document.documentElement.dataset.theme = theme;
  byId('theme').textContent = theme === 'dark' ? 'Light' : 'Dark';
}

dress(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
byId('theme').addEventListener('click', () => {
  dress(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
  show(true); // charts take their colours when they are drawn
});
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault(); // the address names the part that is shown
  byId('main').focus();
});
setUpLeaderboard();
setUpCopy();
setUpProvenance();
setUpCharts();
setUpGallery();
addEventListener('hashchange', () => show(false));
show(true);
