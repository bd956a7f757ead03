import { setTimeout as delay } from 'node:timers/promises';
import type { Frame, Page } from 'playwright-core';

const limitMs = 30_000;

/**
 * The document that an extension wrote into the visible webview of this title. VS Code puts it two frames deep: its own
 * page, in which `#active-frame` is the extension's (and `#pending-frame` one that is still loading).
 * @throws Error naming the webviews that are visible when none has the title within 30 s.
 */
export async function webviewOf(page: Page, title: string | RegExp): Promise<Frame> {
  let seen: readonly string[] = [];
  const until = Date.now() + limitMs;
  while (Date.now() < until) {
    const visible = await visibleWebviews(page);
    const found = visible.find((webview) =>
      typeof title === 'string' ? webview.title === title : title.test(webview.title),
    );
    if (found !== undefined) return found.frame;
    seen = visible.map((webview) => webview.title);
    await delay(100);
  }
  throw new Error(
    `No visible webview has the title ${String(title)}; there are: ${seen.join(', ') || 'none'}`,
  );
}

async function visibleWebviews(page: Page): Promise<readonly { title: string; frame: Frame }[]> {
  const found: { title: string; frame: Frame }[] = [];
  for (const outer of await page.locator('iframe.webview:visible').elementHandles()) {
    try {
      const inner = await (await outer.contentFrame())?.$('#active-frame');
      const frame = await inner?.contentFrame();
      const title = await inner?.getAttribute('title');
      if (frame !== undefined && frame !== null) found.push({ title: title ?? '', frame });
    } catch {
      // A frame that was replaced while it was looked at is found again the next time round.
    }
  }
  return found;
}
