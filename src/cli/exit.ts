/** Ways to end a command other than by being done. */
import { type Command, CommanderError } from 'commander';

export const failedCode = 'featherflight.failed';

/** Ends a command with status 1 when everything that it has to say is said. */
export function endWithFailure(): never {
  throw new CommanderError(1, failedCode, '');
}

/** Ends a command with status 2 and the reason on standard error. */
export function refuseUsage(command: Command, reason: string): never {
  command.error(`error: ${reason}`, { exitCode: 2 });
}
