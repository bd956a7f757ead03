import { matrixOf } from './matrix.ts';
import { chart } from './projects/bitnami.ts';

matrixOf('bitnami-redis', () => chart({ product: 'redis', image: 'redis7' }));
matrixOf('bitnami-redis-environment', () => chart({ product: 'redis', image: 'redisNewest', isFile: false }));
matrixOf('bitnami-redis-tls', (tls) => chart({ product: 'redis', image: 'redis8', tls }));
matrixOf('bitnami-valkey', () => chart({ product: 'valkey', image: 'valkey8' }));
matrixOf('bitnami-valkey-tls', (tls) => chart({ product: 'valkey', image: 'valkeyNewest', tls }));
