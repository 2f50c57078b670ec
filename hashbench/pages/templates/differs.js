// The ranking under every convention, as lines that cross where a convention turns methods over.

function bumps(bench) {
  const bits = usualBits(bench);
  const known = data.conventions.map((item) => item.name).filter((name) => bench.rows.some((row) => row.ranked && scoreOf(row, bits, name, HEADLINE)));
  if (known.length < 2) return null;
  const ranks = new Map(known.map((name) => [name, ranksOf(bench.rows, bits, name, HEADLINE)]));
  const rows = bench.rows.filter((row) => known.some((name) => ranks.get(name).has(row)));
  const traces = rows.map((row) => ({
    type: 'scatter', mode: 'lines+markers', name: inert(row.label), x: known, y: known.map((name) => ranks.get(name).get(row) ?? null), line: { ...lineOf(row), width: 2.5 }, marker: { ...markOf(row), size: 11 },
    text: known.map((name) => number(meanOf(row, bits, name, HEADLINE))), hovertemplate: '<b>%{fullData.name}</b><br>%{x}: place %{y}, mAP %{text}<extra></extra>',
  }));
  const layout = layoutOf({ title: '', type: 'category' }, { title: 'place', autorange: 'reversed', dtick: rows.length > 12 ? 2 : 1 });
  layout.margin.r = 110;
  layout.annotations = rows.map((row) => ({ x: known.at(-1), y: ranks.get(known.at(-1)).get(row), xanchor: 'left', xshift: 10, showarrow: false, text: inert(row.label), font: { size: 12, color: paint('--ink') } })).filter((note) => note.y !== undefined);
  let turned = 0;
  for (const [at, one] of rows.entries()) {
    for (const other of rows.slice(at + 1)) {
      const signs = new Set(known.map((name) => Math.sign(ranks.get(name).get(one) - ranks.get(name).get(other))).filter(Boolean));
      turned += signs.size > 1;
    }
  }
  const pairs = rows.length * (rows.length - 1) / 2;
  return chart(`Places under every convention: ${bench.title}, ${bits} bits`, `${turned} of ${pairs} pairs of methods change their order with the convention alone.`, traces, layout, () => [['method', ...known], ...rows.map((row) => [row.label, ...known.map((name) => String(ranks.get(name).get(row) ?? '–'))])]);
}

function drawDiffers() {
  place(byId('bump'), data.benches.map(bumps).filter(Boolean));
}
