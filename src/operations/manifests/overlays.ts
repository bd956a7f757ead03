import { UserError } from '../../model/errors.ts';

/** What may be put on top of the base, in the order in which it is applied: the folders of manifests/components. */
export const overlays = {
  dev: 'Smallest: few resources and no volumes, so keys are lost with their pods',
  production: 'One pod per Kubernetes node, 10Gi volumes, 2Gi of memory per server',
  spread: 'Pods spread evenly over all Kubernetes nodes, never all on one, even while two are drained',
  valkey: 'Valkey instead of Redis',
  tls: 'TLS for clients, replication and the bus, with certificates from the Secret <name>-tls',
  metrics: 'A Prometheus exporter in each pod',
  servicemonitor: 'A ServiceMonitor for the Prometheus operator; needs the overlay metrics',
} as const;

export type Overlay = keyof typeof overlays;

export function isOverlay(name: unknown): name is Overlay {
  return typeof name === 'string' && Object.hasOwn(overlays, name);
}

/** The components' folders of a choice, in their order. */
export function componentsOf(chosen: readonly Overlay[]): readonly string[] {
  return Object.keys(overlays)
    .filter((name) => chosen.some((one) => one === name))
    .map((name) => `components/${name}`);
}

/** Throws a UserError where the choice contradicts itself. */
export function checkOverlays(chosen: readonly Overlay[]): void {
  if (chosen.includes('dev') && chosen.includes('production'))
    throw new UserError('invalid-input', 'The overlays dev and production exclude each other. Select one.');
  if (chosen.includes('servicemonitor') && !chosen.includes('metrics'))
    throw new UserError('invalid-input', 'The overlay servicemonitor requires metrics. Select both.');
}
