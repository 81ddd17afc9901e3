// Sorting, filters and the viewer of test images. The page is complete without it.
'use strict';
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  // --- sorting: the bodies of a table, so that rows that belong together stay together

  const cellOf = (body, column) => body.rows[0].cells[column];
  // A number, or a text; nothing where the cell has no figure.
  const keyOf = (cell, numeric) => {
    if (!numeric) return cell.textContent.trim();
    return cell.dataset.v === undefined || cell.dataset.v === '' ? null : Number(cell.dataset.v);
  };

  const sortBy = (table, header, column) => {
    const numeric = header.classList.contains('num');
    const before = header.getAttribute('aria-sort');
    // Figures start with the largest, names with the first; a second press turns round.
    const descending = before === null ? numeric : before === 'ascending';
    all('thead th', table).forEach((other) => other.removeAttribute('aria-sort'));
    header.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
    const bodies = [...table.tBodies].map((body) => ({ body, key: keyOf(cellOf(body, column), numeric) }));
    bodies.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null);
      const order = numeric ? a.key - b.key : a.key.localeCompare(b.key, 'en', { numeric: true });
      return descending ? -order : order;
    });
    table.append(...bodies.map(({ body }) => body));
  };

  all('table.sortable').forEach((table) => {
    all('thead th', table).forEach((header, column) => {
      const button = make('button', { type: 'button' });
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener('click', () => sortBy(table, header, column));
    });
  });

  // --- filters

  const form = document.getElementById('filters');
  const filtered = all('[data-method]');
  const applyFilters = () => {
    const chosen = new FormData(form);
    const methods = new Set(chosen.getAll('method'));
    const passes = (element) => methods.has(element.dataset.method) &&
      ['dataset', 'setting', 'protocol'].every((name) => {
        const wanted = chosen.get(name);
        return !wanted || wanted === element.dataset[name];
      });
    filtered.forEach((element) => { element.hidden = !passes(element); });
    // A table without rows goes with its caption; so does a heading without anything below.
    all('.wide').forEach((region) => {
      const bodies = all('tbody', region);
      region.hidden = bodies.length > 0 && bodies.every((body) => body.hidden);
    });
    all('details.heat').forEach((block) => { block.hidden = all('.wide', block).every((region) => region.hidden); });
    const rows = all('#leaderboard tbody');
    form.querySelector('output').textContent =
      `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  };
  form.hidden = false;
  form.addEventListener('input', applyFilters);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => setTimeout(applyFilters));
  applyFilters();

  // --- a link to a run opens it

  const openTarget = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let at = target; at; at = at.parentElement) {
      if (at.tagName === 'DETAILS') at.open = true;
    }
    // A group of one run: its run too.
    const runs = all('details.run', target);
    if (runs.length === 1) runs[0].open = true;
    target.scrollIntoView();
  };
  addEventListener('hashchange', openTarget);
  openTarget();

  // --- viewer of test images

  const tiles = all('.tile');
  if (tiles.length === 0) return;
  const panelTitles = { input: 'input', truth: 'ground truth', heat: 'heat map' };
  const title = make('h2', { id: 'viewer-title' });
  const previous = make('button', { type: 'button', textContent: '← previous' });
  const next = make('button', { type: 'button', textContent: 'next →' });
  const close = make('button', { type: 'button', textContent: 'close' });
  const panels = make('div', { className: 'panels' });
  const scores = make('div');
  const facts = make('p');
  const others = make('div', { className: 'others' });
  const dialog = make('dialog', {},
    make('div', { className: 'bar' }, title, previous, next, close), panels,
    make('div', { className: 'below' }, scores, make('div', {}, facts, others)));
  dialog.setAttribute('aria-labelledby', 'viewer-title');
  document.body.append(dialog);
  let shown = null;

  const figure = (svg, caption) => make('figure', {}, svg, make('figcaption', { textContent: caption }));
  const overlay = (tile) => {
    const svg = tile.querySelector('.input').cloneNode(true);
    svg.classList.replace('input', 'over');
    svg.setAttribute('aria-label', 'heat map over input');
    svg.append(tile.querySelector('.heat use').cloneNode(true));
    return svg;
  };
  // The image's score as a line in the class's histogram.
  const histogram = (tile) => {
    const source = tile.closest('.images').querySelector('.scores');
    if (!source) return [];
    const copy = source.cloneNode(true);
    const svg = copy.querySelector('svg');
    const [low, high, score] = [source.dataset.low, source.dataset.high, tile.dataset.score].map(Number);
    const line = svg.querySelector('path').cloneNode();
    const share = high > low ? Math.min(1, Math.max(0, (score - low) / (high - low))) : 0.5;
    line.setAttribute('class', 'here');
    line.setAttribute('d', `M${(8 + share * 284).toFixed(1)} 18V102`);
    svg.append(line);
    return [copy];
  };
  const runName = (tile) => tile.closest('article').querySelector('h3').textContent;
  const visible = () => tiles.filter((tile) => !tile.closest('article').hidden);

  const show = (tile) => {
    shown = tile;
    const category = tile.closest('.images').dataset.category;
    title.textContent = `${category}: ${tile.dataset.sample}`;
    panels.replaceChildren(
      ...Object.entries(panelTitles).flatMap(([kind, caption]) => {
        const svg = tile.querySelector('.' + kind);
        return svg ? [figure(svg.cloneNode(true), caption)] : [];
      }),
      figure(overlay(tile), 'heat map over input'));
    scores.replaceChildren(...histogram(tile));
    facts.textContent = `${runName(tile)}: ${tile.querySelector('p span:last-child').textContent}; ` +
      `heat maps from ${tile.dataset.low} (black) to ${tile.dataset.high} (white)`;
    others.replaceChildren(...tiles
      .filter((other) => other !== tile && other.dataset.sample === tile.dataset.sample &&
        other.closest('.images').dataset.category === category &&
        other.closest('article').dataset.dataset === tile.closest('article').dataset.dataset)
      .map((other) => figure(other.querySelector('.heat').cloneNode(true), runName(other))));
    const list = visible();
    previous.disabled = list.indexOf(tile) <= 0;
    next.disabled = list.indexOf(tile) === list.length - 1;
    if (!dialog.open) dialog.showModal();
  };
  const step = (by) => {
    const list = visible();
    const tile = list[list.indexOf(shown) + by];
    if (tile) show(tile);
  };
  previous.addEventListener('click', () => step(-1));
  next.addEventListener('click', () => step(1));
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) {
      event.preventDefault();
      step(by);
    }
  });
  dialog.addEventListener('close', () => {
    shown.closest('details').open = true;
    shown.focus();
  });
  tiles.forEach((tile) => {
    tile.classList.add('open');
    tile.tabIndex = 0;
    tile.setAttribute('role', 'button');
    tile.setAttribute('aria-haspopup', 'dialog');
    tile.setAttribute('aria-label', `open ${tile.dataset.sample}, ${tile.querySelector('p span:last-child').textContent}`);
    tile.addEventListener('click', () => show(tile));
    tile.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        show(tile);
      }
    });
  });
})();
