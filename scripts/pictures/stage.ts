import { setTimeout as delay } from 'node:timers/promises';
import { launchVSCode, type VSCodeUnderTest } from '../../test/support/launchVSCode.ts';
import {
  startRedisCluster,
  type TestCluster,
  type TestClusterOptions,
} from '../../test/support/startRedisCluster.ts';
import type { ThemeKind } from '../../test/support/vscode/theme.ts';
import { still } from './encode.ts';

/** Small, since a page shows a picture at about this width; and sharp on fine screens. */
const screen = { width: 1280, height: 800, deviceScaleFactor: 2 };
/** Of the side bar, in which findings can be read. */
const sideBarWidth = 310;
/** Nothing but the product and what it stands in. */
const settings = {
  'window.customTitleBarVisibility': 'never',
  'workbench.statusBar.visible': false,
  'workbench.layoutControl.enabled': false,
  'breadcrumbs.enabled': false,
  'editor.minimap.enabled': false,
};

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A VS Code whose sandbox is a cluster that a scene may break. */
export interface Stage {
  readonly vscode: VSCodeUnderTest;
  readonly cluster: TestCluster;
  /** The cluster as commands name it. */
  readonly ref: { readonly addresses: readonly string[] };
  /** The window as a PNG; a coarse one has a quarter of the pixels. */
  readonly shoot: (scale?: 'fine' | 'coarse') => Promise<Buffer>;
  /** `<name>-dark.png` and `<name>-light.png`, of the window or of an area of it. */
  readonly inBothThemes: (name: string, area?: Area) => Promise<Readonly<Record<string, Buffer>>>;
  readonly close: () => Promise<void>;
}

/** @param options no cluster without them: VS Code finds nothing then */
export async function openStage(extensionPath: string, options?: TestClusterOptions): Promise<Stage> {
  const cluster = await startRedisCluster(options ?? { masters: 0, replicasPerMaster: 0 });
  const addresses = cluster.addresses.slice(0, cluster.nodes.length - (options?.spares ?? 0));
  try {
    const vscode = await launchVSCode({
      extensionPath,
      settings,
      screen,
      log: console.log,
      env: {
        KUBECONFIG: '/nonexistent/kubeconfig',
        ...(addresses.length === 0 ? {} : { REDIS_CLUSTER_SANDBOX: addresses.join(',') }),
      },
    });
    const shoot: Stage['shoot'] = (scale) =>
      vscode.page.screenshot(scale === 'coarse' ? { scale: 'css' } : {});
    await vscode.setTheme('dark');
    await vscode.command('workbench.view.extension.redisCluster');
    await vscode.setSideBarWidth(sideBarWidth);
    return {
      vscode,
      cluster,
      shoot,
      ref: { addresses },
      inBothThemes: (name, area) => inBothThemes(vscode, name, area),
      close: async () => {
        await vscode.close();
        await cluster.stop();
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function inBothThemes(
  vscode: VSCodeUnderTest,
  name: string,
  clip?: Area,
): Promise<Readonly<Record<string, Buffer>>> {
  const taken: Record<string, Buffer> = {};
  for (const theme of ['light', 'dark'] satisfies ThemeKind[]) {
    await vscode.setTheme(theme);
    // The page follows the extension host's word a moment later, and webviews after that.
    await delay(1500);
    taken[`${name}-${theme}.png`] = still(await vscode.page.screenshot(clip === undefined ? {} : { clip }));
  }
  return taken;
}
