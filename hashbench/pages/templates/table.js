// The leaderboard: filters, sorting, the switch of conventions and what it moves.

const DETAILS = new Map([['r@h', 'recall'], ['empty@h', 'empty balls'], ['nohit@h', 'balls without a hit'], ['p@h', 'precision'], ['ball@h', 'items in the ball'], ['map', 'full mAP'], ['map@5000', 'mAP@5000']]);
const MODES = new Map([['none', 'shallow']]);
const TUNED = new Map([['none', 'none to tune'], ['own', 'from a file']]);

function shownBenches() {
  return data.benches.filter((bench) => ['dataset', 'protocol', 'backbone'].every((name) => !state[name] || bench[name] === state[name]));
}

function shownRows(bench) {
  const words = state.search.trim().toLowerCase();
  return bench.rows.filter((row) => (!state.mode || row.mode === state.mode) && (!state.tuned || row.tuned === state.tuned)
    && (!words || `${row.label} ${row.method}`.toLowerCase().includes(words))
    && (!state.bits || row.places[state.bits]));
}

const lengthsOf = (bench) => bench.bits.map(String).filter((bits) => !state.bits || bits === state.bits);

function rankBits(bench) {
  if (state.bits) return state.bits;
  const sorted = state.sort && state.sort.key.startsWith('bits:') ? state.sort.key.slice(5) : '';
  return bench.bits.map(String).includes(sorted) ? sorted : usualBits(bench);
}

// The columns of a bench's table: key, heading, and what a row is sorted by and shows there.
function columnsOf(bench) {
  const score = (bits, metric, head) => ({
    key: metric === state.metric ? `bits:${bits}` : `metric:${metric}`, head, bits, metric, number: true,
    value: (row) => meanOf(row, bits, state.convention, metric),
    down: metricOf(metric).better !== 'lower',
  });
  const columns = [{ key: 'name', head: 'method', value: (row) => row.label.toLowerCase(), down: false }];
  for (const bits of lengthsOf(bench)) columns.push(score(bits, state.metric, `${bits} bits`));
  if (state.bits) {
    columns.push({
      key: 'first', head: 'first in draws', number: true, down: true, share: true,
      value: (row) => row.places[state.bits].first[state.convention] ?? null,
    });
    for (const [metric, head] of DETAILS) {
      const known = bench.rows.some((row) => scoreOf(row, state.bits, state.convention, metric));
      if (metric !== state.metric && known) columns.push(score(state.bits, metric, head));
    }
    columns.push({
      key: 'seeds', head: 'seeds', number: true, plain: true, down: true,
      value: (row) => row.places[state.bits].cells.length,
    });
  }
  columns.push(
    { key: 'mode', head: 'training', value: (row) => MODES.get(row.mode) ?? row.mode, down: false },
    { key: 'origin', head: 'hyper-parameters', value: (row) => row.origin || '–', down: false },
  );
  return columns;
}

function sorted(bench, rows, columns) {
  const wanted = columns.find((column) => state.sort && column.key === state.sort.key);
  const column = wanted || columns.find((one) => one.key === `bits:${rankBits(bench)}`);
  const down = wanted ? state.sort.down : column.down;
  const compare = (a, b) => {
    const [one, two] = [column.value(a), column.value(b)];
    if (one === null || two === null) return (one === null) - (two === null);
    return (one < two ? -1 : one > two ? 1 : 0) * (down ? -1 : 1);
  };
  return { rows: [...rows].sort(compare), column, down };
}

// The dagger of the tables: of the headline alone, tested over every method of the bench.
const isMarked = (row, bits, metric) => metric === HEADLINE && Boolean(row.places[bits]?.marked.includes(state.convention));

function beside(row, bits) {
  if (state.metric !== HEADLINE || state.bits) return null;
  const [recall, empty] = ['r@h', 'empty@h'].map((metric) => meanOf(row, bits, state.convention, metric));
  if (recall === null || empty === null) return null;
  return h('span', { class: 'under', title: 'recall in the ball, and share of empty balls' }, `R ${number(recall, 2)} · ∅ ${percent(empty)}`);
}

function scoreCell(row, column, most, order) {
  const score = scoreOf(row, column.bits, state.convention, column.metric);
  if (!score) return h('td', { class: 'score' }, h('span', { class: 'soft', title: (row.places[column.bits]?.failures || ['has not been run']).join(' ') }, '–'));
  const text = shown(score[0], column.metric);
  const place = row.ranked ? order.indexOf(Number(score[0].toFixed(6))) : -1;
  const mark = place === 0 && order.length > 1 ? h('b', {}, text) : place === 1 ? h('u', {}, text) : text;
  const spread = score[1] === null ? null : h('small', {}, ` ±${shown(score[1], column.metric)}`);
  const bounds = score.length > 3 ? h('small', {}, ` [${shown(score[3], column.metric)}, ${shown(score[4], column.metric)}]`) : null;
  const dagger = isMarked(row, column.bits, column.metric);
  const button = h('button', {
    type: 'button', class: 'num', style: { '--share': `${most > 0 ? Math.max(0, 100 * score[0] / most) : 0}%` },
    'aria-label': `${row.label}, ${column.bits} bits, ${metricOf(column.metric).title}: ${text}${score[1] === null ? '' : ` plus or minus ${shown(score[1], column.metric)}`}${dagger ? ', significantly better than every other method' : ''}; where it is from`,
    onclick: () => showNumber(row, column.bits, column.metric),
  }, mark, dagger ? h('sup', {}, '†') : null, spread, bounds);
  return h('td', { class: 'score' }, button, beside(row, column.bits));
}

function cellOf(row, column, tops) {
  if (column.metric) return scoreCell(row, column, ...tops.get(column.key));
  const value = column.value(row);
  if (column.number) return h('td', { class: 'n' }, column.share ? percent(value) : String(value ?? '–'));
  return h('td', { class: 'soft' }, value);
}

function nameCell(row) {
  const tags = row.apart ? [h('span', { class: 'tag' }, row.apart)] : [];
  const doubts = [...new Set(Object.values(row.places).flatMap((place) => place.cells.flatMap((key) => data.cells[key].entry?.suspicions ?? [])))];
  if (doubts.length) tags.push(h('span', { class: 'tag look', title: doubts.join('; ') }, 'look'));
  return h('th', { scope: 'row', class: 'name' }, h('span', { class: 'dot', 'aria-hidden': 'true', style: { '--swatch': colour(row.look) } }),
    h('a', { href: `#method-${anchors.get(row.method)}` }, row.label), tags);
}

function moveCell(row, ranks, before) {
  if (state.convention === house || !ranks.has(row) || !before.has(row)) return h('td', { class: 'move' });
  const moved = before.get(row) - ranks.get(row);
  if (!moved) return h('td', { class: 'move soft' }, '=');
  const words = `${Math.abs(moved)} ${moved > 0 ? 'up' : 'down'} from ${house}`;
  return h('td', { class: `move ${moved > 0 ? 'up' : 'down'}`, title: words }, h('span', { 'aria-hidden': 'true' }, `${moved > 0 ? '▲' : '▼'}${Math.abs(moved)}`), h('span', { class: 'skip' }, words));
}

function ceilingRow(bench, columns) {
  if (state.metric !== 'map' || bench.ceiling === null) return null;
  const cells = columns.slice(1).map((column) => (column.metric === 'map' ? h('td', { class: 'n num' }, number(bench.ceiling)) : h('td')));
  return h('tr', { class: 'ceiling' }, h('td'), h('td'), h('th', { scope: 'row', class: 'name' }, 'un-hashed features', h('span', { class: 'tag' }, 'ceiling')), cells);
}

function benchTable(bench) {
  const rows = shownRows(bench);
  if (!rows.length) return null;
  const columns = columnsOf(bench);
  const { rows: order, column: by, down } = sorted(bench, rows, columns);
  const bits = rankBits(bench);
  const ranks = ranksOf(rows, bits, state.convention, state.metric);
  const before = ranksOf(rows, bits, house, state.metric);
  const tops = new Map(columns.filter((column) => column.metric).map((column) => {
    const values = rows.map(column.value).filter((value) => value !== null);
    const competing = [...new Set(rows.filter((row) => row.ranked).map(column.value).filter((value) => value !== null).map((value) => Number(value.toFixed(6))))];
    return [column.key, [Math.max(...values, 0), competing.sort((a, b) => (column.down ? b - a : a - b))]];
  }));
  const heads = columns.map((column) => h('th', {
    scope: 'col', class: column.number ? 'n' : column.key === 'name' ? 'name' : null,
    'aria-sort': column === by ? (down ? 'descending' : 'ascending') : null,
  }, h('button', { type: 'button', 'data-sort': column.key, onclick: () => sortBy(column, by, down) }, column.head)));
  const body = order.map((row) => h('tr', { 'data-row': row.id, class: row.ranked ? null : 'floor' },
    h('td', { class: 'rank' }, ranks.has(row) ? String(ranks.get(row)) : '·'), moveCell(row, ranks, before), nameCell(row),
    columns.slice(1).map((column) => cellOf(row, column, tops))));
  const failures = [...new Set(order.flatMap((row) => lengthsOf(bench).flatMap((length) => row.places[length]?.failures || [])))];
  return h('section', { class: state.convention === house ? 'bench still' : 'bench', 'aria-label': titleOf(bench) },
    h('header', {}, h('h3', {}, bench.title), h('p', { class: 'soft' }, bench.about)),
    bench.ceiling === null ? null : h('p', { class: 'soft small' }, `Ceiling: ranking by the un-hashed features has a full mAP of ${number(bench.ceiling)}.`),
    h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Leaderboard of ${titleOf(bench)}` },
      h('table', {}, h('thead', {}, h('tr', {}, h('th', { scope: 'col', class: 'rank' }, '#', h('span', { class: 'skip' }, ` by ${bits} bits`)), h('th', { scope: 'col', class: 'move' }, h('span', { class: 'skip' }, `places moved from ${house}`)), heads)), h('tbody', {}, ceilingRow(bench, columns), body))),
    state.metric === HEADLINE && bench.dagger[state.convention] ? h('p', { class: 'soft small' }, `${bench.dagger[state.convention]}.`) : null,
    failures.length ? h('details', {}, h('summary', {}, `${failures.length} ${failures.length === 1 ? 'place' : 'places'} without a score`), h('ul', {}, failures.map((text) => h('li', {}, text)))) : null);
}

function sortBy(column, by, down) {
  state.sort = { key: column.key, down: column === by ? !down : column.down };
  drawTables();
  document.querySelector(`[data-sort="${CSS.escape(column.key)}"]`)?.focus();
}

// What a switch of the convention does to the ranking, in a sentence.
function movement() {
  if (state.convention === house) return '';
  const parts = shownBenches().map((bench) => {
    const rows = shownRows(bench);
    const bits = rankBits(bench);
    const [now, before] = [state.convention, house].map((convention) => ranksOf(rows, bits, convention, state.metric));
    const moves = [...now].filter(([row]) => before.has(row)).map(([row, rank]) => [row, before.get(row) - rank]).filter(([, moved]) => moved);
    if (!now.size) return `${bench.title}: ${state.convention} has no ${metricOf(state.metric).title}: choose another metric`;
    if (!moves.length) return `${bench.title}: no method changes its place at ${bits} bits`;
    const [row, moved] = moves.reduce((a, b) => (Math.abs(b[1]) > Math.abs(a[1]) ? b : a));
    return `${bench.title}, ${bits} bits: ${moves.length} of ${now.size} methods change places, ${row.label} goes ${moved > 0 ? 'up' : 'down'} ${Math.abs(moved)}`;
  });
  return parts.length ? `${parts.join('. ')}.` : '';
}

function drawTables() {
  const tables = byId('tables');
  const places = new Map([...tables.querySelectorAll('[data-row]')].map((row) => [row.dataset.row, row.getBoundingClientRect().top]));
  const found = shownBenches().map(benchTable).filter(Boolean);
  tables.replaceChildren(...(found.length ? found : [h('p', { class: 'note' }, 'No method is left: widen the choice.')]));
  byId('moved').textContent = movement();
  const item = data.conventions.find((one) => one.name === state.convention);
  byId('convention-says').replaceChildren(item.differs, item.source && item.source !== 'hashbench' ? h('span', { class: 'small' }, ` (${item.source})`) : '');
  if (quiet) return;
  for (const row of tables.querySelectorAll('[data-row]')) {
    const from = places.get(row.dataset.row);
    const by = from === undefined ? 0 : from - row.getBoundingClientRect().top;
    if (by) row.animate([{ transform: `translateY(${by}px)` }, { transform: 'none' }], { duration: 450, easing: 'cubic-bezier(.2,.8,.2,1)' });
  }
}

function setUpLeaderboard() {
  byId('conventions').append(...data.conventions.map((item) => h('label', {},
    h('input', { type: 'radio', name: 'convention', value: item.name, checked: item.name === state.convention, onchange: () => { state.convention = item.name; drawTables(); } }),
    h('span', {}, item.name))));
  const form = byId('filters');
  const all = (name) => [...new Set(data.benches.map((bench) => bench[name]))].map((value) => [value, value]);
  const rows = data.benches.flatMap((bench) => bench.rows);
  const there = (name, names) => [...new Set(rows.map((row) => row[name]))].map((value) => [value, names.get(value) ?? value]);
  const known = data.metrics.filter((metric) => rows.some((row) => Object.keys(row.places).some((bits) => data.conventions.some((item) => scoreOf(row, bits, item.name, metric.id)))));
  fill(form.metric, known.map((metric) => [metric.id, metric.title]), state.metric);
  fill(form.bits, [['', 'all'], ...allBits.map((bits) => [bits, bits])], '');
  fill(form.dataset, [['', 'all'], ...[...new Map(data.benches.map((bench) => [bench.dataset, bench.title]))]], '');
  fill(form.protocol, [['', 'all'], ...all('protocol')], '');
  fill(form.backbone, [['', 'all'], ...all('backbone')], '');
  fill(form.mode, [['', 'all'], ...there('mode', MODES)], '');
  fill(form.tuned, [['', 'all'], ...there('tuned', TUNED)], '');
  form.addEventListener('input', (event) => {
    state[event.target.name] = event.target.value;
    drawTables();
  });
  form.addEventListener('submit', (event) => event.preventDefault());
}
