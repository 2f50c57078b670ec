// What two methods retrieve for the same query, side by side.

const looking = { bench: -1, left: 0, right: 0, kind: 'random', query: 0 };

const galleryQueries = () => data.gallery[looking.bench].queries.filter((query) => (looking.kind === 'random' ? query.random : query.worst_of.includes(looking.left)));

function tiles(row, found, radius) {
  const relevant = found.filter((item) => item[2]).length;
  return h('div', {}, h('h3', {}, `${row.label}: ${relevant} of ${found.length} relevant`), h('ol', { class: 'tiles' }, found.map(([image, distance, hit, labels], at) => h('li', { class: hit ? 'right' : 'wrong' },
    h('img', { src: data.thumbnails[image], alt: `${at + 1}: ${labels || 'no label'}, ${hit ? 'relevant' : 'wrong'}, distance ${distance}` }),
    h('span', { 'aria-hidden': 'true' }, h('b', {}, hit ? '✓ ' : '✗ '), `d ${distance}${distance <= radius ? ' in ball' : ''}`, h('br'), labels)))));
}

function drawGallery() {
  const view = byId('gallery-view');
  const strip = byId('gallery-queries');
  if (looking.bench < 0) {
    byId('gallery-choice').hidden = true;
    view.replaceChildren(h('p', { class: 'note' }, 'There are no thumbnails on this page: the images were not at hand when it was written, their terms do not allow it, or it was asked for without.'));
    return;
  }
  const bench = data.benches[looking.bench];
  const { bits, radius } = data.gallery[looking.bench];
  const queries = galleryQueries();
  looking.query = Math.min(looking.query, Math.max(0, queries.length - 1));
  strip.replaceChildren(...queries.map((query, at) => h('button', { type: 'button', 'aria-pressed': String(at === looking.query), 'aria-label': `Query ${at + 1}: ${query.labels || 'no label'}`, onclick: () => { looking.query = at; drawGallery(); strip.children[at].focus(); } }, h('img', { src: data.thumbnails[query.image], alt: '' }))));
  if (!queries.length) {
    view.replaceChildren(h('p', { class: 'note' }, 'No query is among the worst of this method that were taken in; the others share them, or the room for thumbnails ended.'));
    return;
  }
  const query = queries[looking.query];
  const sides = [...new Set([looking.left, looking.right])];
  view.replaceChildren(h('div', { class: 'versus' },
    h('div', { class: 'asked' }, h('img', { src: data.thumbnails[query.image], alt: `the query: ${query.labels || 'no label'}` }), h('div', {}, h('h3', {}, query.labels || 'no label'), h('p', { class: 'soft small' }, `${bench.title}, ${bits} bits. ${query.random ? 'Drawn at random.' : ''} ${query.worst_of.includes(looking.left) ? `One of the worst of ${bench.rows[looking.left].label}.` : ''} Solid frames are relevant, dashed ones wrong.`))),
    h('div', {}, sides.map((at) => (query.found[at] ? tiles(bench.rows[at], query.found[at], radius) : h('p', { class: 'note' }, `${bench.rows[at].label} has no codes at ${bits} bits.`))))));
}

function chooseBench(at) {
  const form = byId('gallery-choice');
  looking.bench = at;
  const bench = data.benches[at];
  const { bits, queries } = data.gallery[at];
  const rows = bench.rows.map((row, place) => [place, row.label]).filter(([place]) => queries[0].found[place]);
  const best = [...rows].sort((a, b) => (meanOf(bench.rows[b[0]], bits, house, HEADLINE) ?? -1) - (meanOf(bench.rows[a[0]], bits, house, HEADLINE) ?? -1));
  const learned = best.filter(([place]) => bench.rows[place].block !== 'floor');
  looking.left = (learned[0] || best[0])[0];
  looking.right = (learned.at(-1) || best.at(-1))[0];
  looking.query = 0;
  fill(form.left, rows, looking.left);
  fill(form.right, rows, looking.right);
}

function setUpGallery() {
  const form = byId('gallery-choice');
  const there = data.gallery.map((found, at) => [at, found]).filter(([, found]) => found).map(([at]) => at);
  if (!there.length) return;
  fill(form.bench, there.map((at) => [at, titleOf(data.benches[at])]), there[0]);
  chooseBench(there[0]);
  form.addEventListener('change', (event) => {
    if (event.target.name === 'bench') chooseBench(Number(form.bench.value));
    else looking[event.target.name] = event.target.name === 'kind' ? form.kind.value : Number(event.target.value);
    drawGallery();
  });
  form.addEventListener('submit', (event) => event.preventDefault());
}
