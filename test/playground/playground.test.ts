import { mkdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createApiKey } from '@vibe-edit/bots/webhook';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { chromiumPath, launchChromium } from './chromium.js';
import { type PageServer, startPageServer } from './page-server.js';

const PHOTO = fileURLToPath(new URL('../../examples/photos/chelsea.jpg', import.meta.url));
const SCREENSHOTS = fileURLToPath(new URL('../../reports/playground/', import.meta.url));

describe.skipIf(chromiumPath === undefined)('the playground in Chromium', () => {
  let browser: Browser;
  let server: PageServer;

  beforeAll(async () => {
    await mkdir(SCREENSHOTS, { recursive: true });
    browser = await launchChromium();
    server = await startPageServer();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** A page; whatever it writes as an error, or refuses by its policy, fails the test. */
  async function openPage(options: { server?: PageServer; path?: string } & BrowserContextOptions = {}): Promise<Page> {
    const { server: own = server, path = '/', ...contextOptions } = options;
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...contextOptions });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      // A refused request is written as an error, and is part of some tests.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        errors.push(message.text());
    });
    onTestFinished(async () => {
      await context.close();
      expect(errors).toEqual([]);
    });
    await page.goto(own.url + path);
    return page;
  }

  async function openPhoto(page: Page): Promise<void> {
    await page.locator('#file').setInputFiles(PHOTO);
    await page.locator('#caption', { hasText: 'chelsea.jpg' }).waitFor();
  }

  async function edit(page: Page, instruction: string): Promise<void> {
    await page.getByLabel('What should change?').fill(instruction);
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.locator('#work-status', { hasText: 'Done in' }).waitFor();
  }

  /** Mean of each channel of the picture that is shown as the result. */
  async function meansOfResult(page: Page): Promise<number[]> {
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download' }).click();
    const { channels } = await sharp(await readFile(await (await download).path())).stats();
    return channels.map(({ mean }) => mean);
  }

  test('open, edit, compare, go on, go back and branch, download', async () => {
    const page = await openPage();
    await page.getByRole('heading', { name: 'Open a picture' }).waitFor();
    await page.screenshot({ path: `${SCREENSHOTS}empty.png` });
    await openPhoto(page);
    await edit(page, 'black and white');
    const [red = 0, green = 0, blue = 0] = await meansOfResult(page);
    expect(Math.abs(red - blue)).toBeLessThan(6);

    await edit(page, 'tint it blue');
    const tinted = await meansOfResult(page);
    expect(tinted[2]).toBeGreaterThan((tinted[0] as number) + 15);

    // Back to the photo, and from there another way.
    await page.getByRole('button', { name: 'chelsea.jpg', exact: true }).click();
    await edit(page, 'make it much brighter');
    const brighter = await meansOfResult(page);
    expect((brighter[0] as number) + (brighter[1] as number)).toBeGreaterThan(red + green);
    expect(await page.locator('#tree > li > ul > li').count()).toBe(2);
    expect(await page.locator('#tree > li > ul > li').first().locator('ul > li').count()).toBe(1);

    // The queue knows the tree too: what goes on from a result names its job.
    const jobs = await server.queue.list();
    const [tint, gray] = [
      jobs.find((job) => job.request.instruction === 'tint it blue'),
      jobs.find((job) => job.request.instruction === 'black and white'),
    ];
    expect(tint?.parent).toBe(gray?.id);
    await page.screenshot({ path: `${SCREENSHOTS}desktop.png`, fullPage: true });
  });

  test('steps appear while the edit runs, and cancelling ends it on the server', async () => {
    const page = await openPage();
    await openPhoto(page);
    await page.getByText('Seed and strengths').click();
    await page.getByLabel('Steps', { exact: true }).fill('100');
    await page.getByLabel('What should change?').fill('make it night');
    await page.getByLabel('What should change?').press('Enter');
    await page.locator('#previews li').nth(2).waitFor();
    await page.locator('#work-status', { hasText: /step \d+ of 100/ }).waitFor();
    await page.screenshot({ path: `${SCREENSHOTS}running.png` });
    const sources = await page
      .locator('#previews img')
      .evaluateAll((images) => images.map((image) => image.getAttribute('src')));
    expect(new Set(sources).size).toBe(sources.length);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('#work-status', { hasText: 'Cancelled' }).waitFor();
    await expect.poll(async () => (await server.queue.stats()).states.running).toBe(0);
    expect((await server.queue.list({ limit: 1 }))[0]?.state).toBe('cancelled');
    await page.getByRole('button', { name: 'Try again' }).waitFor();
  });

  test('an edit outlives a connection that breaks', async () => {
    const page = await openPage();
    await openPhoto(page);
    await page.getByText('Seed and strengths').click();
    await page.getByLabel('Steps', { exact: true }).fill('60');
    await page.getByLabel('What should change?').fill('sepia');
    await page.getByLabel('What should change?').press('Enter');
    await page.locator('#previews li').first().waitFor();
    server.dropConnections();
    await page.locator('#work-status', { hasText: 'Done in' }).waitFor();
  });

  test('by keyboard alone: the slider moves, Enter edits', async () => {
    const page = await openPage();
    await openPhoto(page);
    // Opening a picture puts the cursor where the instruction goes.
    await page.keyboard.type('make it warmer');
    await page.keyboard.press('Enter');
    await page.locator('#work-status', { hasText: 'Done in' }).waitFor();
    await page.locator('#announcer', { hasText: 'make it warmer: Done' }).waitFor({ state: 'attached' });
    const slider = page.getByRole('slider', { name: /picture before/ });
    await slider.focus();
    await page.keyboard.press('Home');
    expect(await page.locator('#compare').evaluate((element) => element.style.getPropertyValue('--at'))).toBe('0%');
    await page.keyboard.press('End');
    expect(await slider.inputValue()).toBe('100');
  });

  test('by keyboard alone: removing a picture leaves the focus in the tree', async () => {
    const page = await openPage();
    await openPhoto(page);
    await edit(page, 'sepia');
    await page.getByRole('button', { name: 'Remove “sepia”' }).focus();
    await page.keyboard.press('Enter');
    expect(await page.locator('#tree .node').count()).toBe(1);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('chelsea.jpg');
  });

  test('on a phone an edit scrolls to the picture', async () => {
    const page = await openPage({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true });
    await openPhoto(page);
    await page.getByLabel('What should change?').fill('sepia');
    await page.getByRole('button', { name: 'Edit', exact: true }).scrollIntoViewIfNeeded();
    await page.getByRole('button', { name: 'Edit', exact: true }).tap();
    await expect
      .poll(() => page.locator('#compare').evaluate((picture) => picture.getBoundingClientRect().top))
      .toBeGreaterThanOrEqual(0);
    await page.locator('#work-status', { hasText: 'Done in' }).waitFor();
    const header = await page.locator('header').boundingBox();
    expect(header?.height).toBeLessThan(100);
  });

  test('an instruction that the model does not know says so', async () => {
    const page = await openPage();
    await openPhoto(page);
    await edit(page, 'add a red hat to the cat');
    await page.locator('#warnings li', { hasText: 'add a red hat' }).first().waitFor();
  });

  test('the same as code: SDK, curl and command line, with the seed that it had', async () => {
    const page = await openPage();
    await openPhoto(page);
    await page.getByText('Seed and strengths').click();
    await page.getByLabel('Seed', { exact: true }).fill('7');
    await edit(page, "it's too cold");
    await page.getByText('The same as code').click();
    const sample = page.getByLabel('Code');
    expect(await sample.inputValue()).toContain("instruction: 'it\\'s too cold'");
    expect(await sample.inputValue()).toContain('seed: 7');
    await page.getByRole('radio', { name: 'curl' }).check();
    expect(await sample.inputValue()).toContain(`${server.url}/v1/images/edits`);
    expect(await sample.inputValue()).not.toContain('Authorization');
    await page.getByRole('radio', { name: 'CLI' }).check();
    expect(await sample.inputValue()).toContain('--seed 7');
  });

  test('a picture is pasted, dropped and photographed', async () => {
    const page = await openPage({ permissions: ['camera'] });
    const bytes = [...(await readFile(PHOTO))];
    const give = async (kind: 'paste' | 'drop', name: string): Promise<void> => {
      await page.evaluate(
        ([type, values, fileName]) => {
          const data = new DataTransfer();
          data.items.add(new File([Uint8Array.from(values)], fileName, { type: 'image/jpeg' }));
          const event =
            type === 'paste'
              ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
              : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
          document.body.dispatchEvent(event);
        },
        [kind, bytes, name] as const,
      );
      await page.locator('#caption', { hasText: name }).waitFor();
    };
    await page.getByRole('button', { name: 'Take a photo' }).click();
    await expect
      .poll(() => page.locator('#camera-view').evaluate((video) => (video as HTMLVideoElement).videoWidth))
      .toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Take the photo' }).click();
    await page.locator('#caption', { hasText: 'photo.jpg' }).waitFor();
    await give('paste', 'pasted.jpg');
    await give('drop', 'dropped.jpg');
    expect(await page.locator('#tree > li').count()).toBe(3);
  });

  test('what is no picture is refused in words', async () => {
    const page = await openPage();
    await page
      .locator('#file')
      .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') });
    await page.getByRole('alert').filter({ hasText: 'notes.txt' }).waitFor();
  });

  test('a server with keys asks for one, refuses a wrong one, and works with the right one', async () => {
    const { key, record } = createApiKey({ name: 'alice' });
    const guarded = await startPageServer({ auth: { keys: [record] } });
    onTestFinished(() => guarded.close());
    const page = await openPage({ server: guarded });
    const field = page.getByLabel('Key', { exact: true });
    await field.fill('wrong');
    await page.screenshot({ path: `${SCREENSHOTS}key.png` });
    await page.getByRole('button', { name: 'Use the key' }).click();
    await page.locator('#key-reason', { hasText: 'does not know this key' }).waitFor();
    await page.getByRole('button', { name: 'Not now' }).click();
    await page.locator('#queue', { hasText: 'Needs an API key' }).waitFor();
    await openPhoto(page);
    await page.getByLabel('What should change?').fill('invert the colors');
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await field.fill(key);
    await page.getByRole('button', { name: 'Use the key' }).click();
    await page.locator('#work-status', { hasText: 'Done in' }).waitFor();
    await page.getByText('The same as code').click();
    await page.getByRole('radio', { name: 'curl' }).check();
    const sample = await page.getByLabel('Code').inputValue();
    expect(sample).toContain('$VIBE_EDIT_API_KEY');
    expect(sample).not.toContain(key);
  });

  test('mounted under a path', async () => {
    const mounted = await startPageServer({ mount: '/edits' });
    onTestFinished(() => mounted.close());
    const page = await openPage({ server: mounted, path: '' });
    expect(new URL(page.url()).pathname).toBe('/edits/');
    await openPhoto(page);
    await edit(page, 'sepia');
  });

  test.each([
    {
      name: 'phone-light',
      viewport: { width: 390, height: 844 },
      colorScheme: 'light',
      hasTouch: true,
      isMobile: true,
    },
    { name: 'phone-dark', viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true, isMobile: true },
    { name: 'desktop-dark', viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
  ] as const)('$name: fits its screen, with contrast', async ({ name, ...options }) => {
    const page = await openPage(options);
    await page.screenshot({ path: `${SCREENSHOTS}${name}-empty.png` });
    await openPhoto(page);
    await edit(page, 'make it warmer');
    await edit(page, 'strong vignette');
    await page.getByText('The same as code').click();
    await page.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage: true });
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    expect(await lowContrast(page)).toEqual([]);
    expect(await unnamed(page)).toEqual([]);
  });

  /** Texts with a contrast under 4.5 to the colour behind them (WCAG 2.2, 1.4.3), disabled controls left out. */
  async function lowContrast(page: Page): Promise<string[]> {
    return await page.evaluate(() => {
      const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
      const parse = (color: string): number[] => {
        context?.clearRect(0, 0, 1, 1);
        if (context) context.fillStyle = color;
        context?.fillRect(0, 0, 1, 1);
        return [...(context?.getImageData(0, 0, 1, 1).data ?? [])];
      };
      const luminance = (color: readonly number[]): number => {
        const [r = 0, g = 0, b = 0] = color.map((level) => {
          const value = level / 255;
          return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const behind = (element: Element | null): number[] => {
        if (element === null) return parse(getComputedStyle(document.body).backgroundColor);
        const color = parse(getComputedStyle(element).backgroundColor);
        return color[3] === 255 ? color : behind(element.parentElement);
      };
      return [...document.querySelectorAll('body *')].flatMap((element) => {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
        if (!own || !element.checkVisibility() || element.closest(':disabled, .tag, .remove, [aria-hidden]')) return [];
        const a = luminance(parse(getComputedStyle(element).color));
        const b = luminance(behind(element));
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        return ratio < 4.5 ? [`${element.textContent?.trim()}: ${ratio.toFixed(2)}`] : [];
      });
    });
  }

  /** Controls without a name that is read out. */
  async function unnamed(page: Page): Promise<string[]> {
    const tree = await page.locator('body').ariaSnapshot();
    return tree
      .split('\n')
      .filter((line) => /^\s*- (button|link|textbox|slider|combobox|checkbox|radio|spinbutton)\s*:?\s*$/.test(line));
  }
});
