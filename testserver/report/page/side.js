// The side bar: the verdict, what is wrong, phases and rows, the selection.
// All texts are set as text, never as markup.
function byId(id) { return document.getElementById(id); }

function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

const links = []; // of rows, by index

function buildSide() {
  const h = data.head;
  byId('verdict').textContent = h.verdict.toUpperCase();
  byId('verdict').className = { passed: 'passed', failed: 'failed', 'harness error': 'broken' }[h.verdict] || '';
  byId('scenario').textContent = h.scenario;
  byId('figures').textContent = h.figures.join('\n');
  const notes = h.why ? [h.why, ...data.notes] : data.notes;
  if (notes.length > 0) {
    byId('notes').textContent = notes.join('\n');
    byId('notes').hidden = false;
  }
  if (h.report) {
    byId('report').textContent = h.report;
    byId('failure').hidden = false;
  }
  data.phases.forEach((p, i) => buildPhase(p, data.rows.map((r, index) => [r, index]).filter(([r]) => r.phase === i)));
}

function buildPhase(phase, rows) {
  if (rows.length === 0 && !phase.title) return;
  const box = element('details'), head = element('summary');
  box.open = phase.status !== 'OK' || data.rows.length < 60;
  head.append(element('span', 'mark ' + phase.status, sign(phase.status)), element('span', 'title', phase.title || 'before the first phase'),
    element('span', 'more', `${rows.length} rows, ${phase.seconds.toFixed(2)} s`));
  box.append(head);
  const most = 500;
  for (const [row, index] of rows.slice(0, most)) {
    const a = element('a');
    a.href = '#row-' + index;
    a.append(element('span', 'mark ' + row.status, sign(row.status)), element('span', 'number', row.line || ''), element('span', 'row', row.text));
    links[index] = a;
    box.append(a);
  }
  if (rows.length > most) box.append(element('p', 'more', `and ${rows.length - most} more rows: see result.json`));
  byId('phases').append(box);
}

function showSelection(title, about) {
  byId('selected').hidden = false;
  byId('what').textContent = title;
  byId('about').textContent = about;
}

function describeRow(row) {
  const lines = [`${row.kind}, ${row.status || 'MISSED'}${row.line ? ` ${row.file}:${row.line}` : ''}, ${seconds(row.took)}`, ''];
  for (const c of row.comment) lines.push('# ' + c);
  for (const [head, text] of [['wrong', row.wrong], ['expected', row.expected]]) if (text) lines.push(`${head}: ${text}`);
  for (const [head, list] of [['closest', row.seen], ['faults', row.faults], ['last events', row.last]]) {
    if (list.length > 0) lines.push('', head + ':', ...list.map(s => '  ' + s));
  }
  if (row.output) lines.push('', row.output);
  return lines.join('\n');
}
