/** What dist/kubernetes.cjs holds: extension.ts loads it on first use, so that starting the editor does not pay for it. */
export { openContext } from './access.ts';
export { kubeconfigFiles, loadKubeconfigs, watchKubeconfigs, type KubeContext } from './kubeconfigs.ts';
