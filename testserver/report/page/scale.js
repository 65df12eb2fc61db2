// From time to the vertical axis. Time to scale leaves most of the diagram
// empty and crowds the rest, so the usual scale gives every moment at which
// something happens some room: a gap grows with the logarithm of its length.

// makeScale returns an increasing function from microseconds to units (pixels
// at zoom 1), its inverse, and its end. moments are sorted times; rooms are
// sorted [time, units] pairs: between the time of one and that of the next
// there are at least so many units.
function makeScale(moments, rooms, end, even) {
  if (!even || moments.length === 0) {
    const units = Math.max(600, moments.length * 6);
    const factor = units / Math.max(1, end);
    return { at: t => t * factor, time: u => u / factor, end: units };
  }
  const times = [0], places = [0], least = moments.length < 3000 ? 8 : 3;
  let place = 0, due = 0, r = 0;
  for (const t of merged(moments, rooms)) {
    const gap = t - times[times.length - 1];
    if (gap > 0) place += least + 9 * Math.log10(1 + gap / 100);
    // All rooms at this moment begin here, one after another.
    let wanted = 0;
    while (r < rooms.length && rooms[r][0] <= t) {
      place = Math.max(place, due);
      wanted += rooms[r++][1];
      due = place + wanted;
    }
    times.push(t);
    places.push(place);
  }
  const rest = Math.max(0, end - times[times.length - 1]);
  times.push(times[times.length - 1] + Math.max(1, rest));
  places.push(Math.max(place, due) + 30 + 9 * Math.log10(1 + rest / 100));
  return { at: t => between(times, places, t), time: u => between(places, times, u), end: places[places.length - 1] };
}

// merged are the times of both, sorted, each once.
function merged(moments, rooms) {
  const all = new Float64Array(moments.length + rooms.length);
  all.set(moments);
  rooms.forEach((room, i) => { all[moments.length + i] = room[0]; });
  all.sort();
  return all.filter((t, i) => i === 0 || t !== all[i - 1]);
}

// between reads off a curve through points (x, y) with straight lines.
function between(xs, ys, x) {
  const i = Math.min(xs.length - 1, Math.max(1, firstAtLeast(xs, x)));
  const wide = xs[i] - xs[i - 1];
  return wide <= 0 ? ys[i] : ys[i - 1] + (ys[i] - ys[i - 1]) * (x - xs[i - 1]) / wide;
}

// firstAtLeast is the first index of a sorted array whose value is not less
// than x.
function firstAtLeast(sorted, x) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < x) low = middle + 1; else high = middle;
  }
  return low;
}
