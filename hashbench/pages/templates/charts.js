// Charts, drawn by Plotly when they are looked at, each with its numbers as a table.

const COLOURS = 8;
const SYMBOLS = ['circle', 'square', 'diamond', 'triangle-up', 'triangle-down', 'cross', 'x', 'pentagon', 'star', 'hexagon2', 'hourglass'];
const DASHES = ['solid', 'dash', 'dot', 'dashdot', 'longdash'];
const FIRST_DRAWN = 8;

const colour = (look) => `var(--c${look % COLOURS})`;
const paint = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const lineOf = (row) => ({ color: paint(`--c${row.look % COLOURS}`), width: 2, dash: DASHES[Math.floor(row.look / COLOURS) % DASHES.length] });
const markOf = (row) => ({ color: paint(`--c${row.look % COLOURS}`), symbol: SYMBOLS[row.look % SYMBOLS.length], size: 8, line: { color: paint('--panel'), width: 1 } });
// Plotly reads a little HTML in names.
const inert = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function layoutOf(x, y) {
  const axis = { gridcolor: paint('--grid'), zerolinecolor: paint('--grid'), linecolor: paint('--line'), tickcolor: paint('--line'), automargin: true, fixedrange: true };
  return {
    font: { family: 'system-ui, sans-serif', size: 12.5, color: paint('--soft') }, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    margin: { l: 48, r: 12, t: 10, b: 42 }, showlegend: false, hovermode: 'closest', dragmode: false,
    hoverlabel: { bgcolor: paint('--ink'), bordercolor: paint('--ink'), font: { color: paint('--bg'), size: 13 }, namelength: -1 },
    xaxis: { ...axis, ...x, title: { text: x.title, standoff: 8 } }, yaxis: { ...axis, ...y, title: { text: y.title, standoff: 8 } },
  };
}

// A figure with its picture and the same as a table, for whoever does not see or hover.
function chart(title, says, traces, layout, table) {
  const plot = h('div', { class: 'plot', role: 'img', 'aria-label': `Chart: ${title}. ${says} The numbers follow as a table.` });
  const details = h('details', {}, h('summary', {}, 'Numbers'));
  details.addEventListener('toggle', () => {
    if (!details.open || details.children.length > 1) return;
    const [head, ...lines] = table();
    const cells = (line, tag) => line.map((cell, place) => h(tag, tag === 'th' ? { scope: 'col' } : { class: place ? 'n' : null }, typeof cell === 'number' ? number(cell, 4) : String(cell ?? '–')));
    details.append(h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Numbers of ${title}` }, h('table', {}, h('thead', {}, h('tr', {}, cells(head, 'th'))), h('tbody', {}, lines.map((line) => h('tr', {}, cells(line, 'td')))))));
  });
  const figure = h('figure', {}, h('figcaption', {}, title, says ? h('p', {}, says) : null), plot, details);
  figure.draw = () => Plotly.newPlot(plot, traces, layout, { displayModeBar: false, responsive: true, doubleClick: false, scrollZoom: false });
  return figure;
}

function place(target, figures) {
  for (const plot of target.querySelectorAll('.plot')) Plotly.purge(plot);
  target.replaceChildren(...figures);
  for (const figure of figures) figure.draw?.();
}

function overBits(rows, bench, metric, convention) {
  const found = metricOf(metric);
  const traces = rows.map((row) => {
    const lengths = bench.bits.map(String).filter((bits) => scoreOf(row, bits, convention, metric));
    const scores = lengths.map((bits) => scoreOf(row, bits, convention, metric));
    return {
      type: 'scatter', mode: 'lines+markers', name: inert(row.label), x: lengths.map(Number), y: scores.map((score) => score[0]),
      error_y: { type: 'data', array: scores.map((score) => score[1] || 0), thickness: 1, width: 2, color: paint(`--c${row.look % COLOURS}`) },
      line: lineOf(row), marker: markOf(row), text: scores.map((score) => `${shown(score[0], metric)}${score[1] === null ? '' : ` ± ${shown(score[1], metric)}`}, ${Object.keys(score[2]).length} seed(s)`),
      hovertemplate: '<b>%{fullData.name}</b><br>%{x} bits: %{text}<extra></extra>',
    };
  }).filter((trace) => trace.x.length);
  const y = { title: '', rangemode: 'tozero', ...(['empty@h', 'nohit@h'].includes(metric) ? { tickformat: '.0%' } : {}) };
  const layout = layoutOf({ title: 'bits', tickvals: bench.bits }, y);
  const table = () => [['method', ...bench.bits.map((bits) => `${bits} bits`)], ...rows.map((row) => [row.label, ...bench.bits.map((bits) => meanOf(row, bits, convention, metric))])];
  return traces.length ? chart(found.title, `${convention} convention; bars are the standard deviation over seeds.`, traces, layout, table) : null;
}

function precisionRecall(rows, bits) {
  const drawn = rows.filter((row) => row.places[bits]?.curves['p@h']);
  const traces = drawn.map((row) => {
    const curves = row.places[bits].curves;
    return {
      type: 'scatter', mode: 'lines', name: inert(row.label), x: curves['r@h'], y: curves['p@h'], line: lineOf(row), text: curves['r@h'].map((_, radius) => radius),
      hovertemplate: '<b>%{fullData.name}</b><br>radius %{text}: precision %{y:.3f}, recall %{x:.3f}<extra></extra>',
    };
  });
  const at = drawn.map((row) => ({
    type: 'scatter', mode: 'markers', name: inert(row.label), x: [row.places[bits].curves['r@h'][2]], y: [row.places[bits].curves['p@h'][2]], marker: markOf(row),
    hovertemplate: '<b>%{fullData.name}</b><br>radius 2: precision %{y:.3f}, recall %{x:.3f}<extra></extra>',
  }));
  const layout = layoutOf({ title: 'recall', range: [0, 1.02] }, { title: 'precision', range: [0, 1.04] });
  const table = () => [['method', 'radius', 'precision', 'recall'], ...drawn.flatMap((row) => row.places[bits].curves['p@h'].map((value, radius) => [row.label, radius, value, row.places[bits].curves['r@h'][radius]]))];
  return traces.length ? chart(`Precision and recall, ${bits} bits`, 'One point a Hamming radius; the marker is radius 2.', [...traces, ...at], layout, table) : null;
}

// Quality against what a lookup costs: measured queries a second where there are some, else items in the ball.
function cost(rows, bench, convention) {
  const points = rows.flatMap((row) => bench.bits.map(String).map((bits) => {
    const found = row.places[bits];
    return { row, bits, rate: found?.lookup.rate ?? null, ball: meanOf(row, bits, house, 'ball@h'), quality: meanOf(row, bits, convention, HEADLINE), recall: meanOf(row, bits, house, 'r@h') };
  })).filter((point) => point.quality !== null);
  const measured = points.filter((point) => point.rate !== null);
  const figures = [];
  const draw = (title, says, x, chosen, axis) => {
    if (!chosen.length) return;
    const traces = rows.map((row) => {
      const mine = chosen.filter((point) => point.row === row);
      return {
        type: 'scatter', mode: 'lines+markers+text', name: inert(row.label), x: mine.map((point) => point[x]), y: mine.map((point) => point.quality), line: { ...lineOf(row), width: 1 }, marker: markOf(row),
        text: mine.map((point) => point.bits), textposition: 'top center', textfont: { size: 10 }, customdata: mine.map((point) => number(point.recall)),
        hovertemplate: `<b>%{fullData.name}</b>, %{text} bits<br>${axis}: %{x:,.0f}<br>mAP: %{y:.3f}, recall %{customdata}<extra></extra>`,
      };
    }).filter((trace) => trace.x.length);
    figures.push(chart(title, says, traces, layoutOf({ title: axis, type: 'log' }, { title: metricOf(HEADLINE).title, rangemode: 'tozero' }), () => [['method', 'bits', axis, 'mAP', 'recall'], ...chosen.map((point) => [point.row.label, point.bits, point[x], point.quality, point.recall])]));
  };
  draw('Quality against the speed of lookup', 'Queries a second of the fastest exact index, measured; further right is cheaper.', 'rate', measured, 'queries a second');
  draw('Quality against what a lookup returns', 'Items in the ball are what has to be read; the labels are code lengths.', 'ball', points.filter((point) => point.ball > 0), 'items in the ball');
  return figures;
}

function concentration(row, bits) {
  const curves = row.places[bits]?.curves;
  if (!curves?.similar) return null;
  const distance = curves.similar.map((_, at) => at);
  const side = (name, colourName, says) => ({
    type: 'scatter', mode: 'lines', name: says, x: distance, y: curves[name], fill: 'tozeroy', line: { color: paint(colourName), width: 1.5, shape: 'hvh' },
    hovertemplate: `${says} at distance %{x}: %{y:.2%}<extra></extra>`,
  });
  const inside = curves.similar.slice(0, 3).reduce((sum, value) => sum + value, 0);
  const layout = layoutOf({ title: 'Hamming distance', rangemode: 'tozero' }, { title: '', tickformat: '.0%', rangemode: 'tozero' });
  layout.shapes = [{ type: 'line', x0: 2, x1: 2, y0: 0, y1: 1, yref: 'paper', line: { color: paint('--ink'), dash: 'dash', width: 1 } }];
  return chart(row.label, `${percent(inside)} of similar pairs within radius 2`, [side('dissimilar', '--c0', 'dissimilar pairs'), side('similar', '--c1', 'similar pairs')], layout, () => [['distance', 'similar', 'dissimilar'], ...distance.map((at) => [String(at), curves.similar[at], curves.dissimilar[at]])]);
}

function chosenRows(bench) {
  if (!state.drawn || state.drawn.bench !== bench) {
    const bits = usualBits(bench);
    const best = [...bench.rows].sort((a, b) => (meanOf(b, bits, house, HEADLINE) ?? -1) - (meanOf(a, bits, house, HEADLINE) ?? -1));
    state.drawn = { bench, rows: new Set(best.filter((row) => row.block !== 'floor').slice(0, FIRST_DRAWN)) };
  }
  return bench.rows.filter((row) => state.drawn.rows.has(row));
}

function drawCharts() {
  const bench = data.benches[state.bench];
  const form = byId('chart-choice');
  const lengths = bench.bits.map(String);
  if (!lengths.includes(state.chartBits)) state.chartBits = usualBits(bench);
  fill(form.bits, lengths.map((bits) => [bits, bits]), state.chartBits);
  form.convention.value = state.convention;
  const rows = chosenRows(bench);
  byId('chart-rows').replaceChildren(byId('chart-rows').querySelector('legend'), ...bench.rows.map((row) => h('label', {}, h('input', { type: 'checkbox', checked: state.drawn.rows.has(row), onchange: (event) => { state.drawn.rows[event.target.checked ? 'add' : 'delete'](row); drawPlots(); } }), h('span', {}, h('i', { 'aria-hidden': 'true', style: { '--swatch': colour(row.look) } }), row.label))));
  drawPlots(rows);
}

function drawPlots() {
  const bench = data.benches[state.bench];
  const rows = chosenRows(bench);
  const figures = [HEADLINE, 'r@h', 'empty@h', 'map'].map((metric) => overBits(rows, bench, metric, scoreKnown(bench, metric) ? state.convention : house));
  place(byId('chart-grid'), [...figures, precisionRecall(rows, state.chartBits), ...cost(rows, bench, scoreKnown(bench, HEADLINE) ? state.convention : house)].filter(Boolean));
  place(byId('distance-grid'), rows.map((row) => concentration(row, state.chartBits)).filter(Boolean));
}

const scoreKnown = (bench, metric) => bench.rows.some((row) => Object.keys(row.places).some((bits) => scoreOf(row, bits, state.convention, metric)));

function setUpCharts() {
  const form = byId('chart-choice');
  fill(form.bench, data.benches.map((bench, b) => [b, titleOf(bench)]), state.bench);
  fill(form.convention, data.conventions.map((item) => [item.name, item.name]), state.convention);
  form.bench.addEventListener('change', () => { state.bench = Number(form.bench.value); drawCharts(); });
  form.bits.addEventListener('change', () => { state.chartBits = form.bits.value; drawPlots(); });
  form.convention.addEventListener('change', () => {
    state.convention = form.convention.value;
    document.querySelector(`#conventions input[value="${CSS.escape(state.convention)}"]`).checked = true;
    drawPlots();
  });
  form.addEventListener('submit', (event) => event.preventDefault());
}
