import { matrixOf } from './matrix.ts';
import { valkeyOperator } from './projects/valkeyOperator.ts';

const image = 'valkeyNewest';

matrixOf('valkey-operator', () => valkeyOperator({ image, name: 'demo', persistence: false }));
matrixOf('valkey-operator-users', () =>
  valkeyOperator({ image, name: 'users', admin: 'adm1n', persistence: true }),
);
matrixOf('valkey-operator-tls', (tls) =>
  valkeyOperator({ image, name: 'sealed', admin: 'adm1n', tls, persistence: true }),
);
matrixOf('valkey-operator-mixed', () =>
  valkeyOperator({ image: 'valkey8', replicaImage: image, name: 'mixed', admin: 'adm1n', persistence: true }),
);
