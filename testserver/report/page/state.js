// What is shown, and where: one value, changed by main.js, read by draw.js.
const view = document.getElementById('view');
const canvas = document.getElementById('canvas');
const spacer = document.getElementById('spacer');

const LABEL = 15;      // room for a line of the script, in pixels
const HEADING = 30;    // and for the heading of a phase
const CROWD = 10000;   // more events than that in sight become bars of density
const TALLEST = 15e6;  // what browsers can scroll

const state = {
  types: data.types.map(t => !data.quiet.includes(t)),
  peers: data.peers.map(() => true),
  even: true,
  zoom: 1,
  scale: null,
  shown: new Int32Array(0), // events that pass the filters
  places: new Float64Array(0), // and where they are, in units
  all: new Float64Array(0), // where all events are
  columns: [],             // where each peer's column is, or -1
  wide: 0,                 // of a column, in pixels
  gutter: 0,               // the margin with the script
  head: 0,                 // the line with the peers' names
  total: 0,                // width of all
  top: 0, left: 0,         // where the window is scrolled to
  marks: null,             // of the selected event's past and future
  event: -1, row: -1,      // the selection
  hits: [], hit: -1,
};

function filter() {
  const keep = [];
  for (let e = 0; e < model.n; e++) if (state.types[model.type[e]] && state.peers[model.peer[e]]) keep.push(e);
  state.shown = Int32Array.from(keep);
  rescale();
}

// rooms are what is written in the margin: lines of the script, headings.
function rooms() {
  const all = data.rows.filter(r => r.from >= 0).map(r => [r.from, LABEL]);
  for (const p of data.phases) if (p.title && p.from >= 0) all.push([p.from, HEADING]);
  return all.sort((a, b) => a[0] - b[0]);
}

function rescale() {
  const moments = [...edges(), ...Array.from(state.shown, e => model.time[e])];
  state.scale = makeScale(Float64Array.from(moments).sort(), rooms(), data.end, state.even);
  state.all = model.time.map(t => state.scale.at(t));
  state.places = Float64Array.from(state.shown, e => state.all[e]);
  arrange();
}

// edges are the moments at which faults, boots and pauses begin and end.
function edges() {
  return [...data.faults, ...data.lives, ...data.pauses].flatMap(x => x.to < 0 ? [x.from] : [x.from, x.to]);
}

// arrange lays out columns for the size of the window.
function arrange() {
  const width = view.clientWidth;
  const visible = state.peers.filter(p => p).length;
  const longest = Math.max(1, ...data.peers.map(p => p.length));
  state.gutter = Math.round(Math.min(330, Math.max(180, width * (visible > 20 ? 0.22 : 0.36))));
  state.wide = Math.min(260, Math.max(11, (width - state.gutter - 24) / Math.max(1, visible)));
  state.head = state.wide > longest * 7 + 6 ? 26 : Math.min(96, longest * 6.5 + 16);
  let next = 0;
  state.columns = state.peers.map(p => p ? state.gutter + state.wide * (next++ + 0.5) : -1);
  state.total = Math.max(width, state.gutter + state.wide * visible + 12);
  const height = view.clientHeight;
  state.zoom = Math.min(Math.max(state.zoom, 1e-9), Math.max(1, TALLEST / state.scale.end));
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = width + 'px';
  canvas.style.height = height + 'px';
  spacer.style.width = state.total + 'px';
  spacer.style.height = Math.max(0, state.scale.end * state.zoom + state.head + 24 - height) + 'px';
  draw.soon();
}

// top of the diagram's time axis on the canvas, and units to pixels.
// Both go by where the window was scrolled to when it was last drawn: asking
// it for each of thousands of events takes too long.
function y(units) { return state.head + 12 + units * state.zoom - state.top; }
function yAt(time) { return y(state.scale.at(time)); }
function unitsAt(pixel) { return (pixel - state.head - 12 + view.scrollTop) / state.zoom; }
function x(peer) { return state.columns[peer] - state.left; }

// zoomTo keeps what is at the given pixel where it is.
function zoomTo(zoom, pixel) {
  const units = unitsAt(pixel);
  state.zoom = Math.max(fitting(), zoom);
  arrange();
  view.scrollTop = state.head + 12 + units * state.zoom - pixel;
  draw.soon();
}

// fitting is the zoom at which all is in sight.
function fitting() { return Math.max(1e-9, (view.clientHeight - state.head - 40) / state.scale.end); }

// bring scrolls a time to the upper part of the window.
function bring(time) {
  view.scrollTop = state.scale.at(time) * state.zoom - view.clientHeight * 0.35;
  draw.soon();
}
