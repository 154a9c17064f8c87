'use strict';
// The technician's page. Plain JavaScript for old phones; every text from the trap is set as text.
(() => {
  const $ = (id) => document.getElementById(id);
  const VIEWS = ['focus', 'pictures', 'state', 'check', 'place', 'more'];
  const LETTERS = /^[a-hjkmnp-z2-9]{10}$/;
  let state = null;
  let view = '';

  function el(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    for (const child of children) if (child !== null && child !== undefined) made.append(child);
    return made;
  }

  // ---- asking the trap

  class Refusal extends Error {
    constructor(status, message) {
      super(message);
      this.status = status;
    }
  }

  async function ask(path, body, limitMs) {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), limitMs || 60000);
    try {
      const options = { signal: giveUp.signal, headers: { 'x-trapline': '1' }, cache: 'no-store' };
      if (body !== undefined) {
        options.method = 'POST';
        options.body = JSON.stringify(body);
      }
      const answer = await fetch(path, options);
      if (!answer.ok) {
        const said = await answer.json().catch(() => ({}));
        throw new Refusal(answer.status, said.message || 'the trap answered ' + answer.status);
      }
      return answer;
    } catch (error) {
      if (error instanceof Refusal) {
        if (error.status === 401 && path !== '/api/login') shut();
        throw error;
      }
      throw new Error('The trap does not answer. Is this phone still in its network? The page may have closed: press the trap’s button.');
    } finally {
      clearTimeout(timer);
    }
  }
  const get = async (path) => (await ask(path)).json();
  const post = async (path, body, limitMs) => (await ask(path, body, limitMs)).json();

  // ---- words

  const two = (n) => String(n).padStart(2, '0');
  function local(ms) {
    const at = new Date(ms + (state ? state.utc_offset_ms : 0));
    return {
      day: at.getUTCFullYear() + '-' + two(at.getUTCMonth() + 1) + '-' + two(at.getUTCDate()),
      time: two(at.getUTCHours()) + ':' + two(at.getUTCMinutes()) + ':' + two(at.getUTCSeconds()),
    };
  }
  const moment = (ms) => local(ms).day + ' ' + local(ms).time;
  function span(seconds) {
    const s = Math.abs(seconds);
    if (s < 120) return Math.round(s) + ' s';
    if (s < 7200) return Math.round(s / 60) + ' min';
    if (s < 172800) return Math.round(s / 3600) + ' h';
    return Math.round(s / 86400) + ' days';
  }
  const ago = (ms) => {
    const seconds = (state.clock.unix_ms - ms) / 1000;
    return seconds < 0 ? 'in ' + span(seconds) : span(seconds) + ' ago';
  };
  const size = (bytes) => (bytes >= 1e9 ? (bytes / 1e9).toFixed(1) + ' GB' : (bytes / 1e6).toFixed(1) + ' MB');
  const some = (count, one, many) => count + ' ' + (count === 1 ? one : many);
  const CLOCKS = {
    unset: 'never set',
    restored: 'carried on, not confirmed',
    rtc: 'from the battery-backed clock',
    synced: 'confirmed by the network',
  };
  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

  async function withButton(button, words, work) {
    button.disabled = true;
    try {
      await work();
    } catch (error) {
      if (words) words.textContent = capital(error.message);
    } finally {
      button.disabled = false;
    }
  }

  // ---- coming in and going round

  function shut() {
    state = null;
    view = 'login';
    focus.stop();
    for (const name of VIEWS) $(name).hidden = true;
    $('large').hidden = true;
    $('nav').hidden = true;
    $('login').hidden = false;
    $('now').textContent = '';
  }

  function refusedWords(message) {
    const old = document.querySelector('#login .alarm');
    if (old) old.remove();
    if (message) $('login-form').prepend(el('p', { class: 'alarm', role: 'alert' }, capital(message)));
  }

  async function enter(password) {
    refusedWords('');
    await post('/api/login', { password });
    $('password').value = '';
    await inside();
  }

  async function inside() {
    await refresh();
    $('login').hidden = true;
    $('nav').hidden = false;
    show();
  }

  async function refresh() {
    state = await get('/api/state');
    state.heard = Date.now();
    $('trap').textContent = state.trap;
    document.title = state.trap + ' · Trapline';
    tick();
    const ill = state.status.faults.length > 0;
    document.querySelector('nav a[href="#state"]').classList.toggle('ill', ill);
  }

  function tick() {
    if (state) $('now').textContent = local(state.clock.unix_ms + Date.now() - state.heard).time;
  }

  function show() {
    if (!state) return;
    const wanted = location.hash.slice(1);
    const next = VIEWS.includes(wanted) ? wanted : state.status.faults.length > 0 ? 'state' : 'focus';
    if (next !== 'focus') focus.stop();
    view = next;
    for (const name of VIEWS) $(name).hidden = name !== view;
    for (const link of document.querySelectorAll('nav a')) {
      if (link.getAttribute('href') === '#' + view) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    window.scrollTo(0, 0);
    const draw = { pictures, state: showState, check, place, more }[view];
    if (draw) draw().catch((error) => complain(error));
  }

  function complain(error) {
    if (!state) return;
    const old = document.querySelector('main > .alarm');
    if (old) old.remove();
    const words = el('p', { class: 'alarm', role: 'alert' }, capital(error.message));
    document.querySelector('main').prepend(words);
    setTimeout(() => words.remove(), 8000);
  }

  // ---- focus

  const focus = (() => {
    let running = false;
    let zoomed = false;
    let best = 0;
    let last = 0;
    let url = '';

    function figures(seen) {
      const sharp = seen.sharpness * 100;
      const isBest = sharp >= best;
      if (isBest && best > 0 && sharp > best && navigator.vibrate) navigator.vibrate(40);
      best = Math.max(best, sharp);
      $('sharp').textContent = sharp.toFixed(1);
      $('best').textContent = best.toFixed(1);
      $('bar').style.width = (best > 0 ? (100 * sharp) / best : 0).toFixed(1) + '%';
      $('bar').classList.toggle('best', sharp >= 0.98 * best);
      let words = 'About the best so far.';
      if (sharp < 0.98 * best) words = sharp > 1.01 * last ? 'Getting sharper.' : 'It was sharper before: turn back.';
      if (sharp < 0.98 * best && Math.abs(sharp - last) <= 0.01 * last) words = 'It was sharper before.';
      if (seen.mean_luma < 25) words = 'Very dark: is the lens covered, the lamp off?';
      else if (seen.clipped_share > 0.25) words = 'Much of the picture is quite white or black.';
      $('focus-words').textContent = words;
      last = sharp;
    }

    async function once() {
      const answer = await ask('/api/focus', { zoom: zoomed }, 90000);
      const seen = JSON.parse(answer.headers.get('x-focus'));
      const picture = URL.createObjectURL(await answer.blob());
      $('live').src = picture;
      $('live').hidden = false;
      $('live-none').hidden = true;
      if (url) URL.revokeObjectURL(url);
      url = picture;
      figures(seen);
    }

    async function run() {
      while (running) {
        try {
          if (!document.hidden) await once();
          else await new Promise((done) => setTimeout(done, 500));
        } catch (error) {
          if (!state) return;
          $('focus-words').textContent = capital(error.message);
          await new Promise((done) => setTimeout(done, 2000));
        }
      }
    }

    function stop() {
      running = false;
      $('focus-run').textContent = 'Start';
    }

    $('focus-run').addEventListener('click', () => {
      if (running) return stop();
      running = true;
      $('focus-run').textContent = 'Stop';
      run();
    });
    $('focus-zoom').addEventListener('click', () => {
      zoomed = !zoomed;
      $('focus-zoom').setAttribute('aria-pressed', String(zoomed));
    });
    $('focus-reset').addEventListener('click', () => {
      best = 0;
      $('best').textContent = '–';
    });
    return { stop };
  })();

  // ---- pictures

  const SVG = 'http://www.w3.org/2000/svg';
  function boxes(picture) {
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', '0 0 ' + picture.width_px + ' ' + picture.height_px);
    svg.setAttribute('preserveAspectRatio', 'none');
    for (const [x, y, width, height] of picture.boxes) {
      const rect = document.createElementNS(SVG, 'rect');
      for (const [name, value] of Object.entries({ x, y, width, height })) rect.setAttribute(name, value);
      svg.append(rect);
    }
    return svg;
  }

  function framed(picture, side) {
    const frame = el('span', { class: 'framed' });
    if (!picture.shown || !picture.width_px) {
      frame.append(el('p', {}, picture.shown ? 'This picture cannot be shown.' : 'This picture is not on the card any more.'));
      return frame;
    }
    const image = el('img', { src: '/api/pictures/' + picture.id + '/' + side, alt: '', loading: 'lazy',
      width: picture.width_px, height: picture.height_px });
    image.addEventListener('error', () => frame.replaceChildren(el('p', {}, 'This picture cannot be shown.')));
    const overlay = boxes(picture);
    image.addEventListener('load', () => frame.classList.add('ready'));
    frame.append(image, overlay);
    return frame;
  }

  function found(picture) {
    if (picture.state === 'waiting') return 'not looked at yet';
    if (picture.state === 'gave_up') return 'could not be looked at';
    return some(picture.insects || 0, 'insect', 'insects');
  }

  let listed = '';
  async function pictures() {
    await refresh();
    const status = state.status;
    const came = status.arrivals_today;
    const doubt = came && came.low !== came.high ? came.low + '–' + came.high : '';
    $('today').replaceChildren(
      tile('pictures', state.pictures_today, 'today'),
      tile('new insects', came ? came.counted : '–', doubt || 'today'),
      tile('missed', state.missed_today, 'today'),
    );
    const list = await get('/api/pictures');
    // Redrawn only when something is new, so that nothing moves under a thumb.
    const print = JSON.stringify(list);
    if (print === listed && $('list').firstChild) return;
    listed = print;
    const cards = list.map((picture) => {
      const when = local(picture.unix_ms);
      const card = el('button', { class: 'card', type: 'button' }, framed(picture, 480),
        el('span', { class: 'caption' }, el('span', {}, when.day === local(state.clock.unix_ms).day ? when.time : when.day + ' ' + when.time),
          el('b', {}, found(picture))));
      card.addEventListener('click', () => enlarge(picture));
      return card;
    });
    $('list').replaceChildren(...cards);
    if (cards.length === 0) $('list').append(el('p', {}, 'No picture was taken yet.'));
  }

  const tile = (name, figure, small) =>
    el('div', {}, el('dt', {}, name), el('dd', {}, String(figure), small ? el('small', {}, small) : null));

  function enlarge(picture) {
    const stage = document.querySelector('#large .stage');
    stage.replaceChildren(framed(picture, 1600));
    $('large').classList.remove('wide');
    $('large').hidden = false;
    $('large-close').focus();
  }
  document.querySelector('#large .stage').addEventListener('click', () => $('large').classList.toggle('wide'));
  $('large-close').addEventListener('click', () => { $('large').hidden = true; });
  $('large-boxes').addEventListener('click', () => {
    const svg = document.querySelector('#large svg');
    if (svg) svg.style.display = svg.style.display === 'none' ? '' : 'none';
  });
  $('shoot').addEventListener('click', () =>
    withButton($('shoot'), $('shoot-words'), async () => {
      $('shoot-words').textContent = 'The trap takes a picture …';
      await post('/api/shot', {}, 95000);
      $('shoot-words').textContent = 'Taken and kept; the detector looks at it next.';
      await pictures();
    }));

  // ---- state

  async function showState() {
    await refresh();
    const s = state.status;
    const faults = s.faults.map((fault) =>
      el('p', { class: 'alarm' }, el('b', {}, capital(fault.part)), fault.message, ' (since ' + ago(fault.since_ms) + ')'));
    $('faults').replaceChildren(...(faults.length > 0 ? faults : [el('p', { class: 'fine' }, 'Nothing is wrong.')]));
    const rows = [];
    const row = (name, what, small) =>
      rows.push(el('div', {}, el('dt', {}, name), el('dd', {}, what, small ? el('small', {}, small) : null)));
    row('Next picture', s.next_due_ms ? ago(s.next_due_ms) : 'none planned', s.idle || '');
    row('Last picture', s.last_capture_ms ? ago(s.last_capture_ms) : 'none yet', some(s.captures, 'picture', 'pictures') + ' in all');
    const missed = Object.entries(s.missed_by_reason).map(([reason, shots]) => shots + ' ' + reason).join(', ');
    row('Missed', String(s.missed), missed);
    const waiting = s.inspections_waiting;
    row('Looked at', some(s.inspected, 'picture', 'pictures'), waiting ? waiting + (waiting === 1 ? ' waits' : ' wait') + ' for the detector' : '');
    const b = state.battery;
    if (b) {
      const left = b.hours_left === null || b.hours_left === undefined ? '' : 'lasts about ' + span(b.hours_left * 3600);
      row('Battery', Math.round(b.percent) + ' %' + (b.charging ? ', charging' : ''), left);
    } else if (s.battery_v !== null) row('Battery', s.battery_v.toFixed(2) + ' V');
    else row('Battery', 'not measured');
    const card = state.card_hours_left;
    row('Card', s.disk_free_bytes === null ? '–' : size(s.disk_free_bytes) + ' free',
      size(s.pictures_bytes) + ' of pictures' + (card ? '; room for about ' + span(card * 3600) : ''));
    if (!state.has_server) row('Server', 'none set', 'everything stays on the card');
    else if (s.sync_error) row('Server', 'not reached', s.sync_error);
    else row('Server', s.last_sync_ms ? 'heard ' + ago(s.last_sync_ms) : 'none heard yet',
      some(s.pictures_waiting, 'picture', 'pictures') + ' and ' + some(s.records_waiting, 'record', 'records') + ' wait');
    row('Clock', moment(state.clock.unix_ms), CLOCKS[state.clock.quality]);
    if (state.wakes_ms) row('Wakes', ago(state.wakes_ms));
    if (s.model) row('Model', s.model, s.less_care || '');
    if (s.soc_c !== null) row('Processor', s.soc_c.toFixed(0) + ' °C');
    row('Program', 'Trapline ' + state.version, 'ledger ' + s.ledger);
    $('rows').replaceChildren(...rows);
  }
  $('state-again').addEventListener('click', () => showState().catch(complain));

  // ---- checks

  const MARKS = { passed: '✓', care: '!', failed: '✗', absent: '–' };
  const VERDICTS = {
    ready: 'Ready to leave.',
    care: 'It can be left, but read this first:',
    not_ready: 'Not ready: mend what is marked ✗.',
  };
  let following = false;

  async function check() {
    if (following) return;
    following = true;
    try {
      for (;;) {
        const now = await get('/api/checks');
        showCheck(now);
        if (!now.running || view !== 'check') return;
        await new Promise((done) => setTimeout(done, 700));
      }
    } finally {
      following = false;
    }
  }

  function showCheck(now) {
    for (const id of ['depart', 'selftest']) $(id).disabled = now.running;
    const words = $('check-words');
    words.className = 'words';
    const bar = $('check-bar');
    bar.parentElement.hidden = !now.running;
    if (now.running) {
      bar.style.width = (now.of > 0 ? (100 * now.done) / now.of : 2) + '%';
      words.textContent = now.part ? 'Looks at: ' + now.part + ' (' + (now.done + 1) + ' of ' + now.of + ') …' : 'It begins …';
      $('checks').replaceChildren();
      return;
    }
    const report = now.report;
    if (!report) {
      words.textContent = '';
      return;
    }
    const verdict = report.verdict || (report.passed ? 'ready' : 'not_ready');
    words.className = verdict === 'ready' ? 'fine' : 'alarm';
    words.textContent = now.kind === 'depart' ? VERDICTS[verdict]
      : report.passed ? 'Every part of this trap works.' : 'Not every part of this trap works.';
    words.append(' (' + ago(now.began_ms) + ')');
    const worst = (one) => ['failed', 'care', 'passed', 'absent'].indexOf(one.outcome);
    const rows = report.checks.slice().sort((a, b) => worst(a) - worst(b));
    $('checks').replaceChildren(...rows.map((one) =>
      el('li', { class: one.outcome }, el('span', { class: 'mark' }, MARKS[one.outcome] || '?'),
        el('span', {}, el('b', {}, capital(one.part)), el('br'), one.found,
          one.remedy ? el('em', {}, '→ ' + one.remedy) : null,
          one.took_ms > 0 ? el('small', {}, ' ' + (one.took_ms / 1000).toFixed(1) + ' s') : null))));
  }
  for (const kind of ['depart', 'selftest']) {
    $(kind).addEventListener('click', () =>
      withButton($(kind), $('check-words'), async () => {
        focus.stop();
        await post('/api/checks/' + kind, {});
        check().catch(complain);
      }));
  }

  // ---- time and place

  let photograph = null;
  let located = null;

  async function place() {
    await refresh();
    clockWords();
    if (!window.isSecureContext) {
      $('locate').hidden = true;
      $('locate-words').textContent = 'A browser gives a page its position only over https, which a trap cannot offer. ' +
        'Copy the coordinates from the phone’s map app and paste them here.';
    }
    await told();
  }

  function clockWords() {
    const trap = state.clock.unix_ms + Date.now() - state.heard;
    const off = (trap - Date.now()) / 1000;
    const differs = Math.abs(off) < 2 ? 'as this phone’s' : span(off) + (off > 0 ? ' ahead of' : ' behind') + ' this phone’s';
    $('clock-words').replaceChildren('The trap’s clock is ', el('b', {}, differs), ' (' + CLOCKS[state.clock.quality] + ').');
    $('clock-set').hidden = !state.clock_can_be_set;
  }
  $('clock-set').addEventListener('click', () =>
    withButton($('clock-set'), $('clock-words'), async () => {
      await post('/api/time', { unix_ms: Date.now() });
      await refresh();
      clockWords();
    }));

  const DIRECTIONS = ['north', 'north-east', 'east', 'south-east', 'south', 'south-west', 'west', 'north-west'];
  async function told() {
    const all = await get('/api/deployments');
    const last = all[0];
    if (!last) {
      $('told').replaceChildren(el('p', {}, 'Nobody has told yet where this trap stands.'));
      return;
    }
    const at = last.latitude === null ? null
      : last.latitude.toFixed(5) + ', ' + last.longitude.toFixed(5) + (last.accuracy_m ? ' (± ' + Math.round(last.accuracy_m) + ' m)' : '');
    const facts = [last.bait, last.height_cm === null ? '' : last.height_cm + ' cm high',
      last.facing_deg === null ? '' : 'facing ' + DIRECTIONS[Math.round(last.facing_deg / 45) % 8], at, last.technician];
    const lines = el('p', { class: 'fine' }, el('b', {}, last.site), el('br'), facts.filter(Boolean).join(' · '),
      el('br'), 'told ' + moment(last.stamp.unix_ms));
    $('told').replaceChildren(lines);
    if (last.photo_bytes) {
      lines.append(el('img', { id: 'told-photo', src: '/api/deployments/' + last.seq + '/photo', alt: 'The spot', loading: 'lazy' }));
    }
    if ($('site').value === '') {
      $('site').value = last.site;
      $('bait').value = last.bait;
      $('height').value = last.height_cm === null ? '' : last.height_cm;
      $('facing').value = last.facing_deg === null ? '' : last.facing_deg;
      $('technician').value = last.technician;
    }
  }

  $('locate').addEventListener('click', () => {
    $('locate-words').textContent = 'The phone looks for its position …';
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        located = coords;
        $('coordinates').value = coords.latitude.toFixed(6) + ', ' + coords.longitude.toFixed(6);
        $('locate-words').textContent = 'Right to about ' + Math.round(coords.accuracy) + ' m.';
      },
      (error) => { $('locate-words').textContent = 'The phone does not tell: ' + error.message; },
      { enableHighAccuracy: true, timeout: 60000, maximumAge: 0 },
    );
  });
  $('coordinates').addEventListener('input', () => { located = null; });

  // Two numbers, as map apps copy them: "52.51630, 13.37770", also "52,51630 13,37770", N/S/E/W in front or behind.
  function coordinates(text) {
    const clean = text.trim();
    if (clean === '') return null;
    const numbers = clean.match(/-?\d+(?:\.\d+)?/g);
    const commas = clean.match(/-?\d+,\d{3,}/g);
    const pair = commas && commas.length === 2 && !clean.includes('.') ? commas.map((n) => n.replace(',', '.')) : numbers;
    if (!pair || pair.length !== 2) throw new Error('write two numbers, as in 52.51630, 13.37770');
    let [latitude, longitude] = pair.map(Number);
    if (/(^|[^a-z])s(outh)?([^a-z]|$)/i.test(clean)) latitude = -Math.abs(latitude);
    if (/(^|[^a-z])w(est)?([^a-z]|$)/i.test(clean)) longitude = -Math.abs(longitude);
    return { latitude, longitude };
  }

  // A phone's photograph has ten times the pixels that a reader needs, and says where it was taken.
  async function smaller(file) {
    const url = URL.createObjectURL(file);
    try {
      const image = new Image();
      await new Promise((done, failed) => {
        image.onload = done;
        image.onerror = () => failed(new Error('this is no picture that the phone can read'));
        image.src = url;
      });
      const factor = Math.min(1, 1600 / Math.max(image.naturalWidth, image.naturalHeight));
      const canvas = el('canvas');
      canvas.width = Math.max(1, Math.round(image.naturalWidth * factor));
      canvas.height = Math.max(1, Math.round(image.naturalHeight * factor));
      canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
      return canvas.toDataURL('image/jpeg', 0.82);
    } finally {
      URL.revokeObjectURL(url);
    }
  }
  $('photo').addEventListener('change', async () => {
    photograph = null;
    $('photo-small').hidden = true;
    const file = $('photo').files[0];
    if (!file) return;
    try {
      const data = await smaller(file);
      photograph = data.slice(data.indexOf(',') + 1);
      $('photo-small').src = data;
      $('photo-small').hidden = false;
    } catch (error) {
      $('place-said').textContent = capital(error.message);
    }
  });

  const number = (id) => ($(id).value === '' ? null : Number($(id).value));
  $('place-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const button = $('place-form').querySelector('button[type=submit]');
    withButton(button, $('place-said'), async () => {
      $('place-said').textContent = '';
      const at = coordinates($('coordinates').value);
      const form = {
        site: $('site').value, bait: $('bait').value, notes: $('notes').value, technician: $('technician').value,
        height_cm: number('height'), facing_deg: number('facing'),
        place: at && Object.assign(at, {
          accuracy_m: located ? located.accuracy : null,
          from_phone: located !== null,
        }),
        photo: photograph,
      };
      await post('/api/deployments', form, 90000);
      $('place-said').textContent = 'Kept on the card.';
      $('notes').value = '';
      $('photo').value = '';
      $('photo-small').hidden = true;
      photograph = null;
      await told();
    });
  });

  // ---- more

  async function more() {
    await refresh();
    const left = state.page_left_s;
    $('page-left').textContent = left === null ? 'It stays open.' : 'It closes ' + span(left) + ' after the last use.';
    const messages = await get('/api/log');
    $('log').replaceChildren(...messages.reverse().map((message) => {
      const loud = message.level === 'ERROR' || message.level === 'WARN';
      return el('li', { class: loud ? 'loud' : '' }, el('time', {}, moment(message.unix_ms)), message.text);
    }));
    if (messages.length === 0) $('log').append(el('li', {}, 'none yet'));
    const settings = await get('/api/settings');
    $('settings').replaceChildren(...settings.map((one) =>
      el('div', {}, el('dt', {}, one.key + ' = '), el('dd', {}, one.value), el('small', {}, one.origin))));
  }
  $('leave').addEventListener('click', () => post('/api/logout', {}).then(shut, shut));
  $('close').addEventListener('click', () => post('/api/close', {}).then(() => {
    shut();
    refusedWords('The page closes. The trap’s button opens it again.');
  }, complain));

  // ---- begin

  $('login-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const button = $('login-form').querySelector('button');
    button.disabled = true;
    enter($('password').value)
      .catch((error) => refusedWords(error.message))
      .then(() => { button.disabled = false; });
  });
  window.addEventListener('hashchange', show);
  setInterval(tick, 1000);
  setInterval(() => {
    if (!state || document.hidden || !$('large').hidden) return;
    const draw = { state: showState, pictures }[view];
    if (draw) draw().catch(() => {});
  }, 15000);

  const scanned = location.hash.slice(1);
  if (LETTERS.test(scanned)) {
    // The password does not stay in the address bar or its history.
    history.replaceState(null, '', location.pathname);
    shut();
    enter(scanned).catch((error) => refusedWords(error.message));
  } else {
    inside().catch((error) => {
      shut();
      if (error.status !== 401) refusedWords(error.message);
    });
  }
})();
