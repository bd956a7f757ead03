// npm run package: builds for production and makes the .vsix.
import { installDependencies, must } from './setup.mjs';

installDependencies();
must('node', ['esbuild.mjs', '--production']);
must('npx', [
  ...['vsce', 'package', '--no-dependencies', '--allow-missing-repository'],
  // There is no public repository yet that links could lead to; the pictures are in the package.
  '--no-rewrite-relative-links',
]);
