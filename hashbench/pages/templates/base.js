// What every part of the page stands on: the data, what the reader chose, and small tools.

const data = JSON.parse(document.getElementById('data').textContent);
const house = data.conventions[0].name;
const HEADLINE = data.metrics[0].id;
const byId = (id) => document.getElementById(id);
const metricOf = (id) => data.metrics.find((metric) => metric.id === id);
const quiet = matchMedia('(prefers-reduced-motion: reduce)').matches;

// The metric that the page opens with: the first that its first convention defines.
const opening = () => {
  const defined = (metric) => data.benches.some((bench) => bench.rows.some((row) => Object.keys(row.places).some((bits) => scoreOf(row, bits, house, metric.id))));
  return (data.metrics.find(defined) || data.metrics[0]).id;
};

const state = {
  convention: house, metric: opening(), bits: '', dataset: '', protocol: '', backbone: '', mode: '',
  tuned: '', search: '', sort: null, bench: 0, drawn: null, chartBits: '',
};

// An element with text for children: nothing of the data ever becomes markup.
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

const option = (value, text, chosen) => h('option', { value, selected: value === chosen }, text);

function fill(select, choices, chosen) {
  select.replaceChildren(...choices.map(([value, text]) => option(String(value), text, String(chosen))));
}

function number(value, digits = 3) {
  if (value === null || value === undefined) return '–';
  return Math.abs(value) >= 100 ? value.toLocaleString('en', { maximumFractionDigits: 0 }) : value.toFixed(digits);
}

const percent = (value) => (value === null || value === undefined ? '–' : `${(100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0)}%`);

function shown(value, metric) {
  if (['empty@h', 'nohit@h'].includes(metric)) return percent(value);
  const found = metricOf(metric);
  return number(value, found.share ? found.digits : 0);
}

// [mean, deviation, values by seed, worst, best] of a place, or null.
function scoreOf(row, bits, convention, metric) {
  const place = row.places[bits];
  return (place && place.scores[convention] && place.scores[convention][metric]) || null;
}

const meanOf = (row, bits, convention, metric) => {
  const score = scoreOf(row, bits, convention, metric);
  return score ? score[0] : null;
};

// Ranks of the rows that compete: equal numbers, as printed to six digits, share one.
function ranksOf(rows, bits, convention, metric) {
  const down = metricOf(metric).better !== 'lower';
  const values = new Map();
  for (const row of rows) {
    const value = row.ranked ? meanOf(row, bits, convention, metric) : null;
    if (value !== null) values.set(row, Number(value.toFixed(6)));
  }
  const order = [...values.values()].sort((a, b) => (down ? b - a : a - b));
  return new Map([...values].map(([row, value]) => [row, order.indexOf(value) + 1]));
}

// One length to judge by where a column has not been chosen: 48 bits, as figures do, or the longest.
function usualBits(bench) {
  const lengths = bench.bits.map(String);
  return lengths.includes('48') ? '48' : lengths[lengths.length - 1];
}

const allBits = [...new Set(data.benches.flatMap((bench) => bench.bits))].sort((a, b) => a - b).map(String);
const titleOf = (bench) => {
  const alike = data.benches.filter((other) => other.title === bench.title);
  return alike.length === 1 ? bench.title : `${bench.title}: ${bench.about}`;
};

data.benches.forEach((bench, b) => bench.rows.forEach((row, r) => {
  row.id = `${b}.${r}`;
  row.look = r;
  row.bench = bench;
}));

let saying = 0;
function say(text) {
  byId('said').textContent = text;
  clearTimeout(saying);
  saying = setTimeout(() => { byId('said').textContent = ''; }, 2500);
}
