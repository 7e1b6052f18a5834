/** A small disk of its own, where this process may mount one. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** The folder of an empty disk of so many MiB, which goes with the test file; undefined where none may be mounted. */
export function mountSmallDisk(megabytes: number): string | undefined {
  const disk = mkdtempSync(join(tmpdir(), 'featherflight-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    rmSync(disk, { recursive: true, force: true });
    return undefined;
  }
  afterAll(() => {
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true, force: true });
  });
  return disk;
}
