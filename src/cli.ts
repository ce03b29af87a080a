// The command `rtsp-stream-viewer`: reads its words and hands over; nothing is done here itself.

import { ConfigError } from './config.ts';

const usage = `rtsp-stream-viewer: RTSP cameras live in the browser, with faces and alerts

  serve            start the server (the default); settings come from the environment or .env
  demo             start two simulated cameras with people in view, and the server showing them
  doctor ADDRESS   connect once to rtsp://… and tell what the camera sends and what would stop a browser from playing it
  user …           users of this installation: user add NAME [--role admin|operator|viewer], user password NAME, user list
  help             this text

The settings: README.md; what to do when something does not work: docs/guide/troubleshooting.md`;

async function run([command = 'serve', ...args]: readonly string[]): Promise<number> {
  switch (command) {
    case 'serve': {
      const { serve } = await import('./main.ts');
      return process.exit(await serve());
    }
    case 'demo': {
      const { demo } = await import('../simulator/demo.ts');
      return process.exit(await demo());
    }
    case 'doctor': {
      const { doctor } = await import('./doctor.ts');
      return doctor(args);
    }
    case 'user': {
      const { userCommand } = await import('./user-command.ts');
      return userCommand(args);
    }
    case 'help':
    case '--help':
    case '-h':
      console.log(usage);
      return 0;
    default:
      console.error(`There is no command "${command}".\n\n${usage}`);
      return 2;
  }
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  // One line that names the setting: a stack would only hide it.
  console.error(error.message);
  process.exitCode = 78;
}
