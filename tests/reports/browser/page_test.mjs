// The page in headless Chromium: node page_test.mjs PAGE_WRITER [SCREENSHOT_FOLDER].
// Exit 77, which CTest shows as skipped, where Chromium or the packages of tools/setup_browser are absent.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import assert from 'node:assert/strict';

const skip = (why) => {
  console.log(`skipped: ${why}`);
  process.exit(77);
};
const [writer, pictures] = process.argv.slice(2);
const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
if (!chromium) skip('no Chromium; apt-get install chromium');
const require = createRequire(import.meta.url);
let playwright, axe;
try {
  playwright = require('playwright-core');
  axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
} catch {
  skip('no playwright-core or axe-core; tools/setup_browser installs them');
}

const folder = mkdtempSync(join(tmpdir(), 'adbench-page-'));
const file = join(folder, 'page.html');
execFileSync(writer, [file]);
const browser = await playwright.chromium.launch({ executablePath: chromium, args: ['--no-sandbox'] });
const problems = [];

// A fresh view of the page; errors, console messages and requests of its are gathered.
const open = async (options = {}, path = file) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => /^(file|data|blob):/.test(request.url()) || problems.push(request.url()));
  await page.goto(pathToFileURL(path).href);
  return page;
};
const shoot = async (page, name, options = {}) => {
  if (pictures) await page.screenshot({ path: join(pictures, `${name}.png`), ...options });
};

const tests = {
  async 'sorts by figure and by name, and says so'() {
    const page = await open();
    const table = page.locator('#leaderboard table').first();
    const names = () => table.locator('tbody > tr:first-child > th > a:first-child').allTextContents();
    const figures = () => table.locator('tbody > tr:first-child > td[data-k="mad"]').evaluateAll(
      (cells) => cells.map((cell) => Number(cell.dataset.v)));
    const before = await names();
    const header = table.locator('thead th', { hasText: 'mAD' });
    await header.locator('button').click();
    assert.equal(await header.getAttribute('aria-sort'), 'descending');
    const falling = await figures();
    assert.deepEqual(falling, [...falling].sort((a, b) => b - a));
    assert.equal((await names()).at(-1), 'DRÆM', 'a row without the figure stands last');
    await header.locator('button').press('Enter');
    assert.equal(await header.getAttribute('aria-sort'), 'ascending');
    assert.deepEqual(await figures(), [...falling].reverse());
    assert.equal((await names()).at(-1), 'DRÆM');
    const beside = await table.locator('tbody').evaluateAll(
      (bodies) => bodies.map((body) => body.rows.length));
    assert.ok(beside.some((rows) => rows > 1), 'rows of the last epoch stay with theirs');
    await table.locator('thead th').first().locator('button').click();
    assert.deepEqual(await names(), [...before].sort((a, b) => a.localeCompare(b, 'en')));
    assert.equal(await page.locator('#leaderboard [aria-sort]').count(), 1);
  },

  async 'filters by method, data set, setting and protocol'() {
    const page = await open();
    const rows = () => page.locator('#leaderboard tbody:visible').count();
    const all = await rows();
    assert.equal(await page.locator('#filters output').textContent(), `${all} of ${all} rows`);
    await page.getByLabel('DRÆM').uncheck();
    assert.equal(await rows(), all - 1);
    assert.equal(await page.locator('[data-method="draem"]:visible').count(), 0, 'in every part');
    await page.getByLabel('setting').selectOption('single');
    assert.equal(await rows(), 1);
    assert.equal(await page.locator('#leaderboard table:visible').count(), 1, 'empty tables go');
    await page.getByLabel('protocol').selectOption('paper');
    await page.getByLabel('data set').selectOption('mvtec_ad');
    assert.equal(await rows(), 1);
    await page.getByRole('button', { name: 'show all' }).click();
    await page.waitForFunction((n) => document.querySelector('output').textContent === `${n} of ${n} rows`, all);
    assert.equal(await rows(), all);
  },

  async 'opens a run from the leaderboard'() {
    const page = await open();
    assert.equal(await page.locator('#run-3 dl').first().isVisible(), false);
    await page.locator('#leaderboard a', { hasText: 'DRÆM' }).first().click();
    await page.locator('#run-3 dl').first().waitFor({ state: 'visible' });
    assert.match(await page.locator('#run-3').textContent(), /draem0/);
  },

  async 'shows test images, by keyboard alone'() {
    const page = await open();
    await page.locator('details.images > summary').first().focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    const first = await page.evaluate(() => document.activeElement.dataset.sample);
    assert.equal(first, 'cut/1');
    await page.keyboard.press('Enter');
    const dialog = page.locator('dialog[open]');
    assert.equal(await dialog.locator('h2').textContent(), 'grid: cut/1');
    assert.equal(await dialog.locator('.panels svg').count(), 4);
    assert.equal(await dialog.locator('.panels .over use').count(), 2);
    assert.equal(await dialog.locator('.here').count(), 1, 'the score in the histogram');
    assert.ok(await dialog.locator('.others figure').count() >= 1, 'the other method on the same image');
    assert.equal(await dialog.getByRole('button', { name: 'previous' }).isDisabled(), true);
    await shoot(page, 'viewer');
    await page.keyboard.press('ArrowRight');
    assert.equal(await dialog.locator('h2').textContent(), 'grid: cut/2');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('dialog[open]').count(), 0);
    assert.equal(await page.evaluate(() => document.activeElement.dataset.sample), 'cut/2');
  },

  async 'passes the rules of axe, light and dark, closed and open'() {
    for (const colorScheme of ['light', 'dark']) {
      const page = await open({ colorScheme });
      const check = async (state) => {
        // The script is put in by the test, past the page's policy.
        const found = await page.evaluate(`${axe}; axe.run(document)`);
        const told = found.violations.map((rule) => `${rule.id}: ${rule.help}: ` +
          rule.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary}`).join(' | '));
        assert.deepEqual(told, [], `${colorScheme}, ${state}`);
      };
      await check('closed');
      await page.evaluate(() => document.querySelectorAll('details').forEach((block) => { block.open = true; }));
      await check('open');
      await page.locator('.tile').first().click();
      await check('viewer');
    }
  },

  async 'is complete without scripts'() {
    const page = await open({ javaScriptEnabled: false });
    assert.equal(await page.locator('#filters').isVisible(), false);
    assert.ok(await page.locator('#leaderboard tbody').count() > 3);
    assert.ok(await page.locator('#cost svg').count() > 0);
    assert.ok(await page.locator('#training svg').count() > 0);
    await page.locator('details.run > summary').first().click();
    assert.equal(await page.locator('details.run dl').first().isVisible(), true);
    await page.locator('details.images > summary').first().click();
    const box = await page.locator('.tile svg').first().boundingBox();
    assert.ok(box.width > 50 && box.height > 50);
    await shoot(page, 'no-script', { fullPage: true });
  },

  async 'looks as it should'() {
    if (!pictures) return;
    for (const colorScheme of ['light', 'dark']) {
      const page = await open({ colorScheme });
      await shoot(page, colorScheme, { fullPage: true });
    }
    await shoot(await open({ viewport: { width: 390, height: 800 } }), 'narrow', { fullPage: true });
    const page = await open();
    await page.pdf({ path: join(pictures, 'print.pdf'), format: 'A4' });
  },

  async 'does not make a narrow window scroll sideways'() {
    const page = await open({ viewport: { width: 360, height: 800 } });
    const [content, window] = await page.evaluate(
      () => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(content <= window, `${content} px of content in ${window} px`);
  },

  async 'holds 1,000 runs in 20 MB, and sorts and filters them'() {
    const large = join(folder, 'large.html');
    execFileSync(writer, [large, '200']);
    assert.ok(statSync(large).size < 20e6, `${statSync(large).size} bytes`);
    const page = await open({}, large);
    assert.equal(await page.locator('#leaderboard tbody').count(), 200);
    assert.equal(await page.locator('details.run').count(), 1000);
    await page.locator('#leaderboard thead button', { hasText: 'mAD' }).click();
    assert.match(await page.locator('#leaderboard tbody').first().textContent(), /^Method 199/);
    await page.getByLabel('Method 7', { exact: true }).uncheck();
    assert.equal(await page.locator('#leaderboard tbody:visible').count(), 199);
    await shoot(page, 'large');
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    console.log(`ok: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED: ${name}\n${error.message}`);
  }
  for (const context of browser.contexts()) await context.close();
}
await browser.close();
rmSync(folder, { recursive: true });
if (problems.length > 0) console.log('FAILED: the console is quiet and nothing is fetched\n' + problems.join('\n'));
process.exit(failed > 0 || problems.length > 0 ? 1 : 0);
