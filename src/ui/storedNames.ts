/** Names under which VS Code keeps things over windows: asked when a window starts, before what they belong to is loaded. */

/** Also an activation event in package.json. */
export const slotMapViewType = 'redisCluster.slotMap';

/** Under which a workspace keeps the cluster that its status bar shows. */
export const statusBarClusterKey = 'statusBarCluster';
