// The data of the run, decoded. Events are numbers from 0 in the order of
// time; what is known of them lies in columns, one array for each property.
const data = JSON.parse(document.getElementById('data').textContent);

// running adds up a column of differences.
function running(differences, into) {
  let sum = 0;
  for (let i = 0; i < differences.length; i++) into[i] = sum += differences[i];
  return into;
}

function decode(d) {
  const n = d.time.length;
  const m = {
    n,
    time: running(d.time, new Float64Array(n)), // microseconds since the start
    peer: Uint16Array.from(d.peer), boot: Uint32Array.from(d.boot), type: Uint8Array.from(d.type),
    text: Int32Array.from(d.text), detail: Int32Array.from(d.detail), seq: new Float64Array(n),
    // The edges of causality: before and after at the same boot of the same
    // peer, and for a message received the event of its sending.
    before: new Int32Array(n).fill(-1), after: new Int32Array(n).fill(-1), cause: new Int32Array(n).fill(-1),
    from: running(d.from, new Int32Array(d.from.length)), to: Int32Array.from(d.to),
    effects: new Map(),
    lost: d.lost, // pairs of an event and the peer that did not get the message
  };
  const last = new Map();
  for (let i = 0; i < n; i++) {
    const process = m.boot[i] * 65536 + m.peer[i];
    const before = last.get(process);
    m.seq[i] = d.seq[i] + (before === undefined ? 0 : m.seq[before]) + 1;
    if (before !== undefined) {
      m.before[i] = before;
      m.after[before] = i;
    }
    last.set(process, i);
  }
  for (let k = 0; k < m.from.length; k++) {
    m.cause[m.to[k]] = m.from[k];
    if (!m.effects.has(m.from[k])) m.effects.set(m.from[k], []);
    m.effects.get(m.from[k]).push(m.to[k]);
  }
  return m;
}

const model = decode(data);

// PAST, FUTURE and SELF are how an event stands to the selected one.
const PAST = 1, FUTURE = 2, SELF = 3;

// relatives marks all events that happened before the given one and could
// have caused it, and all that it could have caused.
function relatives(event) {
  const marks = new Uint8Array(model.n);
  walk(event, marks, PAST, e => [model.before[e], model.cause[e]]);
  walk(event, marks, FUTURE, e => [model.after[e], ...(model.effects.get(e) || [])]);
  marks[event] = SELF;
  return marks;
}

function walk(start, marks, mark, steps) {
  const todo = [start];
  while (todo.length > 0) {
    for (const next of steps(todo.pop())) {
      if (next >= 0 && marks[next] === 0) {
        marks[next] = mark;
        todo.push(next);
      }
    }
  }
}

function seconds(microseconds, digits = 3) { return (microseconds / 1e6).toFixed(digits) + ' s'; }

function peerName(p) { return data.peers[p]; }
function typeName(t) { return data.types[t]; }
function textOf(e) { return data.texts[model.text[e]]; }
function detailOf(e) { return model.detail[e] > 0 ? data.texts[model.detail[e] - 1] : ''; }

// describe is all that is known of an event, as text.
function describe(e) {
  const lines = [textOf(e), ''];
  if (detailOf(e)) lines.push(detailOf(e), '');
  lines.push(`at ${seconds(model.time[e], 6)}, boot ${model.boot[e]}, event ${model.seq[e]} of ${peerName(model.peer[e])}`);
  if (model.cause[e] >= 0) lines.push(`sent by ${peerName(model.peer[model.cause[e]])}, ${seconds(model.time[e] - model.time[model.cause[e]])} before`);
  const got = model.effects.get(e);
  if (got) lines.push('reached ' + got.map(r => peerName(model.peer[r])).join(', '));
  const lost = [];
  for (let i = 0; i < model.lost.length; i += 2) if (model.lost[i] === e) lost.push(peerName(model.lost[i + 1]));
  if (lost.length > 0) lines.push('never reached ' + lost.join(', '));
  return lines.join('\n');
}
