// What the reader does: select, filter, search, zoom, scroll.
function selectEvent(e, scroll) {
  state.event = e;
  state.row = -1;
  state.marks = relatives(e);
  let past = 0, future = 0;
  for (const m of state.marks) if (m === PAST) past++; else if (m === FUTURE) future++;
  Object.assign(canvas.dataset, { event: e, past, future });
  showSelection(`${peerName(model.peer[e])}  ${typeName(model.type[e])}`, describe(e) + `\nby what the peers said to each other: after ${past} events, before ${future}`);
  if (scroll) bring(model.time[e]);
  location.replace('#event-' + e);
  draw.soon();
}

function selectRow(index, scroll) {
  const row = data.rows[index];
  if (!row) return;
  clearSelection();
  state.row = index;
  canvas.dataset.row = index;
  showSelection(row.text, describeRow(row));
  if (links[index]) {
    links[index].classList.add('on');
    if (links[index].parentElement.open) links[index].scrollIntoView({ block: 'nearest' });
  }
  if (scroll && row.from >= 0) bring(row.from);
  draw.soon();
}

function clearSelection() {
  links.forEach(a => a.classList.remove('on'));
  state.event = state.row = -1;
  state.marks = null;
  for (const name of ['event', 'past', 'future', 'row']) delete canvas.dataset[name];
  byId('selected').hidden = true;
  draw.soon();
}

// follow goes where the address says: #event-7, #row-3.
function follow() {
  const at = /^#(event|row)-(\d+)$/.exec(location.hash);
  if (!at) return;
  const n = Number(at[2]);
  if (at[1] === 'row') selectRow(n, true);
  else if (n < model.n && n !== state.event) selectEvent(n, true);
}

// eventAt is the event under the mouse, or -1.
function eventAt(mouse) {
  const first = firstAtLeast(state.places, unitsAt(mouse.offsetY - 8)), end = firstAtLeast(state.places, unitsAt(mouse.offsetY + 8));
  let best = -1, nearest = 100;
  for (let i = first; i < end && end - first < CROWD; i++) {
    const e = state.shown[i];
    const far = (x(model.peer[e]) - mouse.offsetX) ** 2 + (y(state.places[i]) - mouse.offsetY) ** 2;
    if (far < nearest) [best, nearest] = [e, far];
  }
  return mouse.offsetX > state.gutter && mouse.offsetY > state.head ? best : -1;
}

function rowAt(mouse) {
  if (mouse.offsetX > state.gutter) return -1;
  const label = state.labels.find(l => Math.abs(l.at - mouse.offsetY) <= 7);
  return label ? label.index : -1;
}

canvas.addEventListener('click', mouse => {
  const e = eventAt(mouse), row = rowAt(mouse);
  if (e >= 0) selectEvent(e, false);
  else if (row >= 0) selectRow(row, false);
  else if (canvas.dataset.dense > 0) zoomTo(state.zoom * 4, mouse.offsetY);
  else clearSelection();
  view.focus({ preventScroll: true });
});

canvas.addEventListener('mousemove', mouse => {
  const tip = byId('tip'), e = eventAt(mouse), row = rowAt(mouse);
  tip.hidden = e < 0 && row < 0;
  canvas.style.cursor = tip.hidden ? 'default' : 'pointer';
  if (tip.hidden) return;
  tip.textContent = e >= 0 ? `${peerName(model.peer[e])} ${typeName(model.type[e])} at ${seconds(model.time[e])}\n${textOf(e)}`
    : data.rows[row].text + (data.rows[row].wrong ? '\n' + data.rows[row].wrong : '');
  tip.style.left = Math.min(mouse.offsetX + 14, view.clientWidth - 300) + 'px';
  tip.style.top = mouse.offsetY + view.offsetTop + 14 + 'px';
});
canvas.addEventListener('mouseleave', () => { byId('tip').hidden = true; });

view.addEventListener('scroll', () => draw.soon());
view.addEventListener('wheel', w => {
  if (!w.ctrlKey) return;
  w.preventDefault();
  zoomTo(state.zoom * Math.exp(-w.deltaY / 300), w.offsetY);
}, { passive: false });

function buildTypes() {
  const counts = new Array(data.types.length).fill(0);
  for (const t of model.type) counts[t]++;
  data.types.forEach((name, t) => {
    const b = element('button'), swatch = element('i');
    swatch.style.background = hue(t);
    b.append(swatch, element('span', '', `${name} ${counts[t]}`));
    b.setAttribute('aria-pressed', state.types[t]);
    b.dataset.type = name;
    b.addEventListener('click', () => {
      state.types[t] = !state.types[t];
      b.setAttribute('aria-pressed', state.types[t]);
      keepingPlace(filter);
    });
    byId('types').append(b);
  });
}

function buildPeers() {
  const box = byId('peers').querySelector('div');
  data.peers.forEach((name, p) => {
    const label = element('label'), check = element('input');
    check.type = 'checkbox';
    check.checked = true;
    check.dataset.peer = name;
    check.addEventListener('change', () => {
      state.peers[p] = check.checked;
      keepingPlace(filter);
    });
    label.append(check, ' ' + name);
    box.append(label);
  });
}

// keepingPlace changes the scale and stays at the same time.
function keepingPlace(change) {
  const middle = view.clientHeight / 2, time = state.scale.time(unitsAt(middle));
  change();
  view.scrollTop = state.scale.at(time) * state.zoom + state.head + 12 - middle;
}

function search(words) {
  const wanted = words.trim().toLowerCase();
  state.hits = [];
  state.hit = -1;
  if (wanted) {
    const texts = data.texts.map(t => t.toLowerCase().includes(wanted));
    for (const e of state.shown) {
      if (texts[model.text[e]] || model.detail[e] > 0 && texts[model.detail[e] - 1] || typeName(model.type[e]) === wanted) state.hits.push(e);
    }
  }
  byId('hits').textContent = wanted ? `${state.hits.length} found` : '';
  canvas.dataset.hits = state.hits.length;
  draw.soon();
}

function nextHit(step) {
  if (state.hits.length === 0) return;
  state.hit = (state.hit + step + state.hits.length) % state.hits.length;
  byId('hits').textContent = `${state.hit + 1} of ${state.hits.length}`;
  selectEvent(state.hits[state.hit], true);
}

function toFailure() {
  const row = data.rows.findIndex(r => r.status === 'FAILED');
  if (row >= 0) selectRow(row, true);
}

function toggleScale() {
  keepingPlace(() => {
    state.even = !state.even;
    rescale();
  });
  nameScale();
}

function nameScale() { byId('scale').textContent = state.even ? 'time: roomy' : 'time: to scale'; }

// step selects the nearest shown event along one kind of edge.
function step(next) {
  let e = state.event;
  do { e = next(e); } while (e >= 0 && !passes(e));
  if (e >= 0) selectEvent(e, yAt(model.time[e]) < state.head + 20 || yAt(model.time[e]) > view.clientHeight - 20);
}

const middle = () => view.clientHeight / 2;
const keys = {
  '/': () => byId('search').focus(),
  'n': () => nextHit(1), 'N': () => nextHit(-1),
  '+': () => zoomTo(state.zoom * 1.5, middle()), '=': () => zoomTo(state.zoom * 1.5, middle()),
  '-': () => zoomTo(state.zoom / 1.5, middle()), '0': () => zoomTo(fitting(), middle()),
  't': toggleScale, 'f': toFailure, '?': () => { byId('keys').hidden = !byId('keys').hidden; },
  'b': () => { document.body.classList.toggle('bare'); arrange(); },
  'Escape': () => { byId('keys').hidden = true; clearSelection(); },
};
const arrows = {
  ArrowUp: () => step(e => model.before[e]), ArrowDown: () => step(e => model.after[e]),
  ArrowLeft: () => step(e => model.cause[e]), ArrowRight: () => step(e => (model.effects.get(e) || [-1])[0]),
};

document.addEventListener('keydown', key => {
  if (key.target === byId('search')) {
    if (key.key === 'Enter') nextHit(key.shiftKey ? -1 : 1);
    if (key.key === 'Escape') view.focus();
    return;
  }
  const act = keys[key.key] || state.event >= 0 && arrows[key.key];
  if (!act || key.ctrlKey || key.metaKey || key.altKey) return;
  key.preventDefault();
  act();
});

byId('search').addEventListener('input', () => search(byId('search').value));
byId('close').addEventListener('click', clearSelection);
byId('in').addEventListener('click', keys['+']);
byId('out').addEventListener('click', keys['-']);
byId('fit').addEventListener('click', keys['0']);
byId('scale').addEventListener('click', toggleScale);
byId('failed').addEventListener('click', toFailure);
byId('help').addEventListener('click', keys['?']);
window.addEventListener('hashchange', follow);
new ResizeObserver(arrange).observe(view);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { readColours(); draw.soon(); });

readColours();
buildSide();
buildTypes();
buildPeers();
nameScale();
filter();
byId('failed').hidden = !data.rows.some(r => r.status === 'FAILED');
if (location.hash) follow();
else if (data.rows.some(r => r.status === 'FAILED')) {
  toFailure();
  byId('scrolled').scrollTop = 0; // what is wrong comes first
}
else if (model.n > CROWD) zoomTo(fitting(), middle());
canvas.dataset.ready = 'yes';
