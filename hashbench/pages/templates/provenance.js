// Where a number is from: its seeds, cells, hyper-parameters, data and convention, in a dialog.

const rowsOfFacts = (facts) => h('dl', { class: 'facts' }, facts.filter(([, value]) => value !== null && value !== undefined && value !== '').map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));

// What an entry of a board says of itself, and what verifying it found.
function entryFacts(entry) {
  if (!entry) return [];
  const seen = [entry.seen.labels ? 'labels of the training set' : 'no label', entry.seen.extra_data && `beside it: ${entry.seen.extra_data}`, entry.seen.test_set && 'the test set'];
  return [
    ['Author', entry.author],
    ['Pre-trained', entry.pretrained_on],
    ['Was shown', seen.filter(Boolean).join('; ')],
    ['Source', entry.source],
    ['Comment', entry.comment],
    ['Licence', entry.licence],
    ['Images', entry.images ? null : 'their content is not stated by this entry'],
    ['Verified', `${entry.claims} claimed ${entry.claims === 1 ? 'score' : 'scores'} recomputed`],
    ['Look', entry.suspicions.join('; ')],
    ['Files', h('a', { href: `${entry.folder}/entry.json` }, entry.folder)],
  ];
}

function seedTable(place, score) {
  const lines = place.cells.map((key) => {
    const cell = data.cells[key];
    const value = score[2][String(cell.seed)];
    return h('tr', {}, h('td', { class: 'n' }, String(cell.seed)), h('td', { class: 'n' }, value === undefined ? '–' : String(value)), h('td', {}, h('code', {}, key)), h('td', {}, cell.finished.slice(0, 19).replace('T', ' ')), h('td', { class: 'n' }, cell.timings.fit === undefined ? '–' : `${number(cell.timings.fit, 1)} s`));
  });
  const heads = ['seed', 'value', 'cell', 'finished (UTC)', 'training'].map((text) => h('th', { scope: 'col' }, text));
  return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Seeds' }, h('table', {}, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, lines)));
}

function showNumber(row, bits, metric) {
  const place = row.places[bits];
  const score = scoreOf(row, bits, state.convention, metric);
  const bench = row.bench;
  const cell = data.cells[place.cells[0]];
  const item = data.conventions.find((one) => one.name === state.convention);
  const origin = cell.origins[0];
  const share = place.first[state.convention];
  const values = Object.keys(score[2]).length;
  const dialog = byId('number');
  dialog.replaceChildren(
    h('button', { type: 'button', class: 'close', onclick: () => dialog.close(), 'aria-label': 'Close' }, '✕'),
    h('h2', { id: 'number-title' }, `${row.label}, ${bits} bits, ${bench.title}`),
    h('p', { class: 'big' }, shown(score[0], metric), score[1] === null ? '' : h('small', { class: 'soft' }, ` ±${shown(score[1], metric)}`)),
    h('p', {}, `${metricOf(metric).title} under the ${state.convention} convention, ${values === 1 ? 'one seed' : `mean and standard deviation over ${values} seeds`}.`),
    metric === HEADLINE && share !== undefined && share !== null ? h('p', {}, `First of all in ${percent(share)} of the draws of other queries${values >= 3 ? ' and seeds' : ''}.`) : null,
    seedTable(place, score),
    rowsOfFacts([
      ['Bench', `${bench.title}, ${bench.about}`],
      ['Split', h('code', {}, bench.evidence.split)],
      ['Images', h('code', {}, bench.evidence.images)],
      ['Weights', bench.evidence.weights && h('code', {}, bench.evidence.weights)],
      ['Convention', item.differs],
      ['Parameters', Object.keys(cell.params).length ? h('code', {}, JSON.stringify(cell.params)) : 'none'],
      ['Origin', origin ? [row.origin || 'nothing to tune', origin.note ? `: ${origin.note}` : ''] : row.origin],
      ['Adjusted', Object.keys(cell.adjusted).length ? h('code', {}, JSON.stringify(cell.adjusted)) : null],
      ['Code', h('code', {}, cell.code)],
      ['Codes', cell.codes && h('code', {}, cell.codes)],
      ['Machine', data.environments[cell.environment].summary],
      ...entryFacts(cell.entry),
      ['Again', h('code', {}, cell.again)],
    ]),
  );
  dialog.showModal();
}

function setUpProvenance() {
  byId('number').addEventListener('click', (event) => { if (event.target === byId('number')) byId('number').close(); });
  const details = byId('cells');
  details.addEventListener('toggle', () => {
    const target = details.querySelector('div');
    if (!details.open || target.firstChild) return;
    const lines = data.benches.flatMap((bench) => bench.rows.flatMap((row) => Object.entries(row.places).flatMap(([bits, place]) => place.cells.map((key) => {
      const cell = data.cells[key];
      return h('tr', {}, h('td', {}, h('code', {}, key)), h('td', {}, row.label), h('td', {}, bench.title), h('td', { class: 'n' }, bits), h('td', { class: 'n' }, String(cell.seed)), h('td', {}, cell.status), h('td', {}, cell.finished.slice(0, 19)));
    }))));
    const heads = ['cell', 'method', 'data set', 'bits', 'seed', 'status', 'finished'].map((text) => h('th', { scope: 'col' }, text));
    target.append(h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Cells' }, h('table', {}, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, lines))));
  });
}
