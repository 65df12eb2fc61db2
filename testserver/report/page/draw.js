// Drawing. Only what is in sight is drawn, again at each change. What was
// drawn is counted in the attributes of the canvas, for tests.
const paint = canvas.getContext('2d');
const MONO = '11px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace';
const SANS = '11px system-ui, "DejaVu Sans", sans-serif';
const HUES = {
  sent: '#2f9e44', chat: '#1c7ed6', view: '#868e96', member: '#e8590c', command: '#7950f2',
  bootstrap: '#0c8599', net: '#d6336c', log: '#f08c00',
};
const OTHERS = ['#ae3ec9', '#5c940d', '#a61e4d', '#364fc7', '#087f5b', '#862e9c'];

function hue(type) { return HUES[typeName(type)] || OTHERS[type % OTHERS.length]; }

let colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['back', 'panel', 'text', 'faint', 'line', 'column', 'ok', 'bad', 'open', 'past', 'future', 'arrow', 'fault', 'accent', 'hit', 'phase']) {
    colours[name] = style.getPropertyValue('--' + name).trim();
  }
}

const draw = {
  due: false,
  // soon draws with the next frame, once.
  soon() {
    if (draw.due) return;
    draw.due = true;
    requestAnimationFrame(() => { draw.due = false; draw.now(); });
  },
  now() {
    const began = performance.now();
    [state.top, state.left] = [view.scrollTop, view.scrollLeft];
    const ratio = window.devicePixelRatio || 1;
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    const sight = { width: view.clientWidth, height: view.clientHeight };
    const count = { dots: 0, arrows: 0, crosses: 0, bands: 0, boots: 0, rows: 0, dense: 0 };
    sight.first = firstAtLeast(state.places, unitsAt(state.head - 12));
    sight.end = firstAtLeast(state.places, unitsAt(sight.height + 12));
    paint.fillStyle = colours.back;
    paint.fillRect(0, 0, sight.width, sight.height);
    paint.save();
    paint.beginPath();
    paint.rect(state.gutter, 0, sight.width - state.gutter, sight.height);
    paint.clip();
    drawFaults(sight, count);
    const crowd = sight.end - sight.first > CROWD;
    if (crowd) drawDensity(sight, count);
    drawLives(sight, count);
    if (!crowd) {
      drawMessages(sight, count);
      drawDots(sight, count);
    }
    drawFaultNames(sight);
    paint.restore();
    drawScript(sight, count);
    drawHead(sight);
    for (const [name, n] of Object.entries(count)) canvas.dataset[name] = n;
    canvas.dataset.took = (performance.now() - began).toFixed(1);
  },
};

// within tells whether a span of pixels is in sight.
function within(sight, from, to) { return Math.max(from, to) >= state.head && Math.min(from, to) <= sight.height; }

function endOf(thing) { return thing.to < 0 ? data.end : thing.to; }

// drawFaults shades the columns of the peers that a fault is about.
function drawFaults(sight, count) {
  for (const f of data.faults) {
    const from = yAt(f.from), to = Math.max(yAt(endOf(f)), from + 2);
    if (!within(sight, from, to)) continue;
    count.bands++;
    const peers = f.peers.length > 0 ? f.peers : data.peers.map((_, p) => p);
    for (const p of peers) {
      if (state.columns[p] < 0) continue;
      paint.fillStyle = `rgba(${colours.fault}, 0.09)`;
      paint.fillRect(x(p) - state.wide / 2, from, state.wide, to - from);
      if (to - from < 6) continue;
      paint.fillStyle = `rgba(${colours.fault}, 0.55)`;
      paint.fillRect(x(p) - state.wide / 2, from, state.wide, 1);
      if (f.to >= 0) paint.fillRect(x(p) - state.wide / 2, to - 1, state.wide, 1);
    }
  }
}

// drawFaultNames writes the words of each fault at the top of its band, or of
// the window while the band goes on.
function drawFaultNames(sight) {
  let slot = 0, last = -Infinity;
  paint.font = SANS;
  for (const f of data.faults) {
    const from = yAt(f.from), to = yAt(endOf(f));
    if (!within(sight, from, to) || to < state.head + 6 || to - from < 12) continue;
    const top = Math.max(from, state.head + 2);
    slot = top - last < 16 ? slot + 1 : 0;
    if (slot === 0) last = top;
    const left = Math.max(state.gutter + 4, ...leftmost(f));
    const words = f.text, wide = paint.measureText(words).width + 10, high = top + 2 + slot * 17;
    paint.fillStyle = colours.back;
    paint.fillRect(left, high, wide, 15);
    paint.fillStyle = `rgba(${colours.fault}, 0.18)`;
    paint.fillRect(left, high, wide, 15);
    paint.fillStyle = colours.bad;
    paint.fillText(words, left + 5, high + 11);
  }
}

function leftmost(f) {
  const all = f.peers.filter(p => state.columns[p] >= 0).map(p => x(p) - state.wide / 2 + 3);
  return all.length > 0 ? [Math.min(...all)] : [];
}

// drawLives draws each boot as a line from its start to its end, and pauses
// as hatched boxes on it.
function drawLives(sight, count) {
  for (const l of data.lives) {
    const from = yAt(l.from), to = yAt(endOf(l));
    if (state.columns[l.peer] < 0 || !within(sight, from, to)) continue;
    count.boots++;
    const at = x(l.peer);
    paint.strokeStyle = colours.column;
    paint.lineWidth = 1.5;
    line(at, Math.max(from, 0), at, Math.min(to, sight.height));
    paint.fillStyle = colours.column;
    triangle(at, from - 6, 5);
    if (l.to >= 0) drawEnd(at, to, l);
  }
  for (const p of data.pauses) {
    const from = yAt(p.from), to = yAt(endOf(p));
    if (state.columns[p.peer] < 0 || !within(sight, from, to)) continue;
    hatch(x(p.peer) - 6, from, 12, to - from, sight);
  }
}

// drawEnd marks the end of a boot: a bar if it ended in order, a cross if it
// was killed, red if nobody asked for that.
function drawEnd(at, to, l) {
  paint.strokeStyle = l.expected ? colours.text : colours.bad;
  paint.lineWidth = 2;
  if (l.order) line(at - 6, to, at + 6, to);
  else cross(at, to, 5);
  if (state.wide > 100) {
    paint.font = SANS;
    paint.fillStyle = l.expected ? colours.faint : colours.bad;
    paint.fillText(clip(l.how, state.wide / 2 - 12), at + 10, to + 4);
  }
}

function hatch(left, top, wide, high, sight) {
  const from = Math.max(top, 0), to = Math.min(top + high, sight.height);
  paint.save();
  paint.beginPath();
  paint.rect(left, from, wide, to - from);
  paint.clip();
  paint.fillStyle = colours.back;
  paint.fillRect(left, from, wide, to - from);
  paint.strokeStyle = colours.faint;
  paint.lineWidth = 1;
  for (let at = from - (from % 6) - wide; at < to + wide; at += 6) line(left, at + wide, left + wide, at);
  paint.strokeRect(left + 0.5, top + 0.5, wide - 1, high - 1);
  paint.restore();
}

// drawDensity draws bars whose width grows with how many events there are: for
// more events than can be told apart.
function drawDensity(sight, count) {
  const step = 3, bins = new Map();
  let most = 1;
  for (let i = sight.first; i < sight.end; i++) {
    const e = state.shown[i], p = model.peer[e];
    const key = Math.floor(y(state.places[i]) / step) * data.peers.length + p;
    const n = (bins.get(key) || 0) + 1;
    bins.set(key, n);
    most = Math.max(most, n);
  }
  paint.fillStyle = colours.accent;
  paint.globalAlpha = 0.75;
  for (const [key, n] of bins) {
    const p = ((key % data.peers.length) + data.peers.length) % data.peers.length;
    const wide = Math.max(2, state.wide * 0.85 * Math.sqrt(n / most));
    paint.fillRect(x(p) - wide / 2, Math.floor(key / data.peers.length) * step, wide, step);
  }
  paint.globalAlpha = 1;
  count.dense = bins.size;
}

// faded tells whether an event is dimmed beside the selected one.
function faded(e) { return state.marks !== null && state.marks[e] === 0; }

function passes(e) { return state.types[model.type[e]] && state.peers[model.peer[e]]; }

// Bundles collect shapes that look alike, because filling each of thousands
// takes too long. So does adding to a path of thousands: paths stay short.
class Bundles {
  constructor() {
    this.all = [];
    this.open = new Map();
  }
  path(...look) {
    const key = look.join();
    let b = this.open.get(key);
    if (!b || b.shapes === 64) {
      b = { look, path: new Path2D(), shapes: 0 };
      this.all.push(b);
      this.open.set(key, b);
    }
    b.shapes++;
    return b.path;
  }
  each(use) { for (const b of this.all) use(b.path, ...b.look); }
}

function drawMessages(sight, count) {
  const lines = new Bundles(), heads = new Bundles();
  for (let k = 0; k < model.from.length; k++) {
    const from = model.from[k], to = model.to[k];
    if (!passes(from) || !passes(to)) continue;
    const y1 = y(state.all[from]), y2 = y(state.all[to]);
    if (!within(sight, y1, y2)) continue;
    count.arrows++;
    const look = messageLook(from, to);
    arrow(lines.path(...look), heads.path(...look), x(model.peer[from]), y1, x(model.peer[to]), y2);
  }
  lines.each((path, colour, wide) => {
    paint.strokeStyle = colour;
    paint.lineWidth = wide;
    paint.stroke(path);
  });
  heads.each((path, colour) => {
    paint.fillStyle = colour;
    paint.fill(path);
  });
  for (let i = 0; i < model.lost.length; i += 2) {
    const from = model.lost[i], to = model.lost[i + 1];
    const y1 = y(state.all[from]);
    if (!passes(from) || state.columns[to] < 0 || !within(sight, y1, y1 + 20)) continue;
    count.crosses++;
    drawLost(x(model.peer[from]), x(to), y1, faded(from));
  }
}

function messageLook(from, to) {
  if (state.marks === null) return [colours.arrow, 1];
  const a = state.marks[from], b = state.marks[to];
  if ((a === PAST || a === SELF) && (b === PAST || b === SELF)) return [colours.past, 1.6];
  if ((a === FUTURE || a === SELF) && (b === FUTURE || b === SELF)) return [colours.future, 1.6];
  return [colours.line, 0.8];
}

function arrow(lines, heads, x1, y1, x2, y2) {
  const length = Math.hypot(x2 - x1, y2 - y1) || 1, dx = (x2 - x1) / length, dy = (y2 - y1) / length;
  const tipX = x2 - dx * 4, tipY = y2 - dy * 4;
  lines.moveTo(x1, y1);
  lines.lineTo(x2, y2);
  heads.moveTo(tipX, tipY);
  heads.lineTo(tipX - dx * 7 - dy * 3, tipY - dy * 7 + dx * 3);
  heads.lineTo(tipX - dx * 7 + dy * 3, tipY - dy * 7 - dx * 3);
  heads.closePath();
}

// drawLost is a message that ends in a cross before the one it was owed to.
function drawLost(from, to, top, dim) {
  paint.globalAlpha = dim ? 0.25 : 1;
  const gap = Math.min(18, state.wide * 0.3), end = to - Math.sign(to - from) * gap;
  paint.strokeStyle = colours.bad;
  paint.lineWidth = 1;
  paint.setLineDash([4, 3]);
  line(from, top, end, top + 10);
  paint.setLineDash([]);
  paint.lineWidth = 2;
  cross(end, top + 10, 4);
  paint.globalAlpha = 1;
}

function drawDots(sight, count) {
  const hits = new Set(state.hits.length < 5000 ? state.hits : []);
  const dots = new Bundles();
  for (let i = sight.first; i < sight.end; i++) {
    const e = state.shown[i];
    count.dots++;
    dot(dots.path(hue(model.type[e]), faded(e) ? 0.22 : 1), x(model.peer[e]), y(state.places[i]), typeName(model.type[e]));
  }
  dots.each((path, colour, alpha) => {
    paint.fillStyle = colour;
    paint.globalAlpha = alpha;
    paint.fill(path);
  });
  paint.globalAlpha = 1;
  const rings = new Bundles();
  for (let i = sight.first; i < sight.end; i++) {
    const e = state.shown[i], middle = x(model.peer[e]), at = y(state.places[i]);
    if (state.marks !== null && state.marks[e] !== 0) ring(rings.path([null, colours.past, colours.future, colours.accent][state.marks[e]]), middle, at, 6);
    if (hits.has(e)) ring(rings.path(colours.hit), middle, at, 7.5);
  }
  rings.each((path, colour) => {
    paint.strokeStyle = colour;
    paint.lineWidth = 2;
    paint.stroke(path);
  });
  if (state.wide > 84) drawTexts(sight);
}

// drawTexts writes beside the events what they say, where there is room.
function drawTexts(sight) {
  const last = new Float64Array(data.peers.length).fill(-Infinity);
  paint.font = MONO;
  paint.strokeStyle = colours.back;
  paint.lineWidth = 3;
  for (let i = sight.first; i < sight.end; i++) {
    const e = state.shown[i], p = model.peer[e], at = y(state.places[i]), middle = x(p);
    if (at - last[p] <= 11) continue;
    last[p] = at;
    const words = clip(textOf(e), Math.min(state.wide * 0.75, sight.width - middle) - 14);
    paint.globalAlpha = faded(e) ? 0.3 : 1;
    paint.strokeText(words, middle + 9, at + 4);
    paint.fillStyle = colours.text;
    paint.fillText(words, middle + 9, at + 4);
  }
  paint.globalAlpha = 1;
}

// dot has a shape of its own for what matters most, so that colours are not
// needed to tell types apart.
function dot(path, at, top, type) {
  switch (type) {
    case 'command': path.rect(at - 3.5, top - 3.5, 7, 7); return;
    case 'member': path.moveTo(at, top - 5); path.lineTo(at + 5, top); path.lineTo(at, top + 5); path.lineTo(at - 5, top); break;
    case 'log': path.moveTo(at, top - 5); path.lineTo(at + 5, top + 4); path.lineTo(at - 5, top + 4); break;
    default: path.moveTo(at + 4, top); path.arc(at, top, 4, 0, 7);
  }
  path.closePath();
}

function ring(path, at, top, radius) {
  path.moveTo(at + radius, top);
  path.arc(at, top, radius, 0, 7);
}

// drawScript writes the lines of the script beside the time at which they
// began, with a bar for as long as they took, and headings of phases. Where
// there is not room for all, failures come first, then headings.
function drawScript(sight, count) {
  paint.fillStyle = colours.panel;
  paint.fillRect(0, 0, state.gutter, sight.height);
  paint.strokeStyle = colours.line;
  paint.lineWidth = 1;
  line(state.gutter + 0.5, 0, state.gutter + 0.5, sight.height);
  const used = new Slots(), rows = [];
  for (const [index, row] of data.rows.entries()) {
    if (row.from < 0) continue;
    const from = yAt(row.from) + (headings.has(row.from) ? 22 : 0), to = Math.max(yAt(row.to), from + 3);
    if (!within(sight, from - 10, Math.max(to, from + 10))) continue;
    count.rows++;
    rows.push({ index, row, from });
    paint.fillStyle = statusColour(row.status);
    paint.fillRect(state.gutter - 5, Math.max(from - 2, 0), 3, Math.min(to, sight.height + 5) - Math.max(from - 2, 0));
  }
  state.labels = [];
  rows.filter(r => urgent(r.row)).forEach(r => drawRow(r, used));
  drawPhases(sight, used);
  if (rows.length < 300) rows.filter(r => !urgent(r.row)).forEach(r => drawRow(r, used));
  drawTimes(sight, used);
}

function urgent(row) { return row.status === 'FAILED'; }

const headings = new Set(data.phases.filter(p => p.title).map(p => p.from));

// Slots are the heights at which something is written already.
class Slots {
  constructor() { this.taken = new Set(); }
  // free is the nearest free height from the given one downwards, or NaN.
  free(at, room) {
    for (let down = 0; down <= room; down++) if (!this.near(at + down, LABEL - 2)) return at + down;
    return NaN;
  }
  near(at, far) {
    for (let i = Math.round(at - far) + 1; i < at + far; i++) if (this.taken.has(i)) return true;
    return false;
  }
  take(at) { this.taken.add(Math.round(at)); }
}

const TIMES = 58; // room for times at the right of the margin

function drawRow({ index, row, from }, used) {
  const at = used.free(from, 40);
  if (!(at > state.head)) return; // no room: zoom in
  used.take(at);
  state.labels.push({ at, index });
  if (index === state.row) {
    paint.fillStyle = colours.line;
    paint.fillRect(2, at - 7, state.gutter - 9, 14);
  }
  paint.font = MONO;
  paint.fillStyle = statusColour(row.status);
  paint.fillText(sign(row.status), 8, at + 4);
  paint.fillStyle = urgent(row) ? colours.bad : colours.text;
  paint.fillText(clip(row.text, state.gutter - 22 - TIMES), 22, at + 4);
  writeTime(row.from, at);
}

function writeTime(time, at) {
  paint.font = SANS;
  paint.textAlign = 'right';
  paint.fillStyle = colours.faint;
  paint.fillText(seconds(time, data.end < 1e9 ? 3 : 1), state.gutter - 10, at + 4);
  paint.textAlign = 'left';
}

function sign(status) { return { OK: '✓', FAILED: '✗', MISSED: '○', CANCELLED: '○', SKIPPED: '–' }[status] || '·'; }

function statusColour(status) {
  return { OK: colours.ok, FAILED: colours.bad, MISSED: colours.open, CANCELLED: colours.open }[status] || colours.faint;
}

// drawTimes writes the time where nothing else in the margin says it.
function drawTimes(sight, used) {
  for (let at = state.head + 30; at < sight.height; at += 10) {
    const time = state.scale.time(unitsAt(at));
    if (time <= 0 || time > data.end || used.near(at, 55)) continue;
    writeTime(time, at);
    used.take(at);
  }
}

function drawPhases(sight, used) {
  for (const p of data.phases) {
    if (!p.title || p.from < 0) continue;
    const at = yAt(p.from);
    if (at < state.head - 20 || at > sight.height || used.near(at, 19)) continue;
    used.take(at);
    paint.fillStyle = colours.phase;
    paint.fillRect(0, at - 10, state.gutter, 19);
    paint.strokeStyle = colours.column;
    paint.lineWidth = 1;
    line(0, at - 10, sight.end - sight.first > CROWD ? state.gutter : sight.width, at - 10);
    paint.font = 'bold ' + SANS;
    paint.fillStyle = p.status === 'FAILED' ? colours.bad : colours.text;
    paint.fillText(clip(p.title, state.gutter - 16), 8, at + 4);
  }
}

// drawHead writes the peers' names above their columns: upright where there
// is no room.
function drawHead(sight) {
  paint.fillStyle = colours.back;
  paint.fillRect(0, 0, sight.width, state.head);
  paint.strokeStyle = colours.line;
  line(0, state.head - 0.5, sight.width, state.head - 0.5);
  paint.font = 'bold ' + SANS;
  paint.fillStyle = colours.text;
  for (const [p, name] of data.peers.entries()) {
    if (state.columns[p] < 0 || x(p) < state.gutter) continue;
    paint.save();
    paint.translate(x(p), state.head === 26 ? 17 : state.head - 6);
    if (state.head === 26) paint.textAlign = 'center';
    else {
      paint.rotate(-Math.PI / 2);
      paint.translate(0, 4);
    }
    paint.fillText(clip(name, state.head === 26 ? state.wide : 80), 0, 0);
    paint.restore();
  }
  paint.fillStyle = colours.panel;
  paint.fillRect(0, 0, state.gutter, state.head - 1);
  paint.fillStyle = colours.faint;
  paint.font = SANS;
  paint.fillText('script', 8, state.head - 9);
}

function line(x1, y1, x2, y2) {
  paint.beginPath();
  paint.moveTo(x1, y1);
  paint.lineTo(x2, y2);
  paint.stroke();
}

function cross(at, top, size) {
  line(at - size, top - size, at + size, top + size);
  line(at - size, top + size, at + size, top - size);
}

function triangle(at, top, size) {
  paint.beginPath();
  paint.moveTo(at - size, top - size);
  paint.lineTo(at + size, top - size);
  paint.lineTo(at, top + 2);
  paint.fill();
}

// clip cuts a text to a width in pixels, in the font that is set.
function clip(text, room) {
  const most = Math.max(1, Math.floor(room / 5));
  let s = text.length > most ? text.slice(0, most) + '…' : text;
  while (s.length > 2 && paint.measureText(s).width > room) s = s.slice(0, -2) + '…';
  return s;
}
