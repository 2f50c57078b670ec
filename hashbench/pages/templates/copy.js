// The tables as they stand on the page, as LaTeX, CSV and Markdown. Texts of records were
// escaped for each format when the page was written; numbers need no escape.

function escaped(format, text) {
  const known = data.escaped[format];
  return Object.hasOwn(known, text) ? known[text] : text;
}

function plainTables() {
  return shownBenches().map((bench) => {
    const columns = columnsOf(bench);
    const { rows } = sorted(bench, shownRows(bench), columns);
    const tops = new Map(columns.filter((column) => column.metric).map((column) => {
      const values = rows.filter((row) => row.ranked).map(column.value).filter((value) => value !== null);
      const order = [...new Set(values.map((value) => Number(value.toFixed(6))))].sort((a, b) => (column.down ? b - a : a - b));
      return [column.key, order];
    }));
    return { bench, columns, rows, tops };
  }).filter((table) => table.rows.length);
}

function caption(bench, format) {
  const about = [bench.title, bench.about].map((text) => escaped(format, text)).join(': ');
  const dagger = state.metric === HEADLINE && bench.dagger[state.convention] ? ` ${escaped(format, bench.dagger[state.convention])}.` : '';
  return `${escaped(format, metricOf(state.metric).title)}, ${tame(format, state.convention)} convention, ${about}.${dagger}`;
}

// Names of conventions are made of letters, digits and ( ) = , - alone.
const tame = (format, text) => text.replace(/[^\w(),=.-]/g, '').replaceAll('_', format === 'csv' ? '_' : '\\_');

function numbers(row, column, format, order) {
  if (!column.metric) {
    const value = column.value(row);
    if (column.share) return value === null ? '' : `${(100 * value).toFixed(1)}${format === 'latex' ? '\\%' : '%'}`;
    return column.number ? String(value ?? '') : escaped(format, column.key === 'name' ? row.label : String(value));
  }
  const score = scoreOf(row, column.bits, state.convention, column.metric);
  if (!score) return format === 'csv' ? '' : '--';
  const digits = metricOf(column.metric).digits;
  if (format === 'csv') return String(score[0]);
  const place = row.ranked && order.length > 1 ? order.indexOf(Number(score[0].toFixed(6))) : -1;
  const text = score[0].toFixed(digits);
  const spread = score[1] === null ? '' : score[1].toFixed(digits);
  const dagger = isMarked(row, column.bits, column.metric) ? { latex: '\\textsuperscript{\\dag}', markdown: '†' }[format] : '';
  if (format === 'latex') {
    const number = place === 0 ? `\\textbf{${text}}` : place === 1 ? `\\underline{${text}}` : text;
    return spread ? `${number}${dagger} $\\pm$ ${spread}` : `${number}${dagger}`;
  }
  const number = place === 0 ? `**${text}**` : place === 1 ? `<u>${text}</u>` : text;
  return spread ? `${number}${dagger} ± ${spread}` : `${number}${dagger}`;
}

function asLatex() {
  return plainTables().map(({ bench, columns, rows, tops }) => {
    const lines = rows.map((row) => `${columns.map((column) => numbers(row, column, 'latex', tops.get(column.key))).join(' & ')} \\\\`);
    const head = columns.map((column) => escaped('latex', column.head)).join(' & ');
    const format = columns.map((column) => (column.number ? 'r' : 'l')).join('');
    return `\\begin{table}[htb]\n\\centering\n\\caption{${caption(bench, 'latex')}}\n\\begin{tabular}{${format}}\n\\toprule\n${head} \\\\\n\\midrule\n${lines.join('\n')}\n\\bottomrule\n\\end{tabular}\n\\end{table}\n`;
  }).join('\n');
}

function asMarkdown() {
  return plainTables().map(({ bench, columns, rows, tops }) => {
    const line = (cells) => `| ${cells.join(' | ')} |`;
    return [caption(bench, 'markdown'), '', line(columns.map((column) => escaped('markdown', column.head))), line(columns.map((column) => (column.number ? '---:' : ':---'))),
      ...rows.map((row) => line(columns.map((column) => numbers(row, column, 'markdown', tops.get(column.key))))), ''].join('\n');
  }).join('\n');
}

// A line a score with everything it depends on, as `hashbench export --format csv` has it.
function asCsv() {
  const cell = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const lines = [['dataset', 'protocol', 'backbone', 'method', 'training_mode', 'origin', 'bits', 'metric', 'convention', 'mean', 'std', 'seeds']];
  for (const { bench, columns, rows } of plainTables()) {
    for (const row of rows) {
      for (const column of columns.filter((one) => one.metric)) {
        const score = scoreOf(row, column.bits, state.convention, column.metric);
        if (!score) continue;
        lines.push([bench.dataset, bench.protocol, bench.backbone, row.label, row.mode, row.origin, column.bits, column.metric, state.convention,
          String(score[0]), score[1] === null ? '' : String(score[1]), String(Object.keys(score[2]).length)].map((value) => escaped('csv', value)));
      }
    }
  }
  return `${lines.map((line) => line.map(cell).join(',')).join('\n')}\n`;
}

async function copyAs(format) {
  const text = { latex: asLatex, csv: asCsv, markdown: asMarkdown }[format]();
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h('textarea', { 'aria-hidden': 'true', tabindex: '-1' });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  say(`Copied as ${{ latex: 'LaTeX', csv: 'CSV', markdown: 'Markdown' }[format]}`);
  return text;
}

function setUpCopy() {
  for (const button of document.querySelectorAll('[data-copy]')) button.addEventListener('click', () => copyAs(button.dataset.copy));
}
