// npm run docs: writes docs/commands.md, docs/settings.md and resources/redisplan.schema.json.
import { installDependencies, runOnNode24 } from './setup.mjs';

installDependencies();
runOnNode24('scripts/documents.ts', process.argv.slice(2));
