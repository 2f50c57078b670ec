// A method's own part: its tables are in the page already; here its training curves are drawn.

const anchors = new Map([...document.querySelectorAll('[data-method]')].map((section) => [section.dataset.method, section.dataset.view.slice('method-'.length)]));

function trainingFigures(row) {
  const lengths = Object.keys(row.places);
  const measures = [...new Set(lengths.flatMap((bits) => Object.keys(row.places[bits].history)))].filter((measure) => measure === 'loss' || measure.startsWith('validation')).sort();
  return measures.map((measure) => {
    const known = lengths.filter((bits) => row.places[bits].history[measure]);
    const traces = known.map((bits, at) => {
      const [epochs, values] = row.places[bits].history[measure];
      return { type: 'scatter', mode: 'lines', name: `${bits} bits`, x: epochs, y: values, line: { color: paint(`--c${at % COLOURS}`), width: 2, dash: DASHES[at % DASHES.length] }, hovertemplate: `<b>${bits} bits</b><br>epoch %{x}: %{y:.4f}<extra></extra>` };
    });
    const layout = layoutOf({ title: 'epoch' }, { title: '' });
    layout.showlegend = known.length > 1;
    layout.legend = { orientation: 'h', y: 1.12, x: 0 };
    return chart(`Training: ${measure}`, 'Mean over seeds.', traces, layout, () => [['epoch', ...known.map((bits) => `${bits} bits`)], ...row.places[known[0]].history[measure][0].map((epoch, at) => [String(epoch), ...known.map((bits) => row.places[bits].history[measure][1][at])])]);
  });
}

function drawMethod(section) {
  for (const target of section.querySelectorAll('.training')) {
    const row = data.benches[Number(target.dataset.bench)].rows[Number(target.dataset.row)];
    const bits = state.chartBits && row.places[state.chartBits] ? state.chartBits : Object.keys(row.places).at(-1);
    place(target, [...trainingFigures(row), concentration(row, bits)].filter(Boolean));
  }
}
