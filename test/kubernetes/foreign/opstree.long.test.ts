import { matrixOf } from './matrix.ts';
import { opstree } from './projects/opstree.ts';

matrixOf('opstree', () => opstree({ image: 'redis7', name: 'shop', nodeConfVolume: false }));
matrixOf('opstree-node-conf', () => opstree({ image: 'redis8', name: 'cart', nodeConfVolume: true }));
matrixOf('opstree-acl-tls', (tls) =>
  opstree({ image: 'redis7', name: 'orders', acl: 'adm1n', tls, nodeConfVolume: true }),
);
matrixOf('opstree-mixed', () =>
  opstree({ image: 'redis7', replicaImage: 'redisNewest', name: 'mixed', nodeConfVolume: false }),
);
