import { matrixOf } from './matrix.ts';
import { hyperspike } from './projects/hyperspike.ts';
import { kubeblocks } from './projects/kubeblocks.ts';
import { ancestor, deploymentPerNode } from './projects/plain.ts';

matrixOf('hyperspike', (certificates) => hyperspike('stock', certificates));
matrixOf('kubeblocks-node-port', () => kubeblocks('blocks', 'NodePort', 31_200));
matrixOf('kubeblocks-host-network', () => kubeblocks('hosted', 'host network', 24_200));
matrixOf('deployments', () => deploymentPerNode('redis-node'));
matrixOf('ancestor', () => ancestor());
