import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { watchRepository } from '../../src/cli/watch-repository.ts';
import { makeRepository, writeRepository } from '../registry/repository-folder.ts';

it('tells of saved definitions and config, several saves at once as one, never twice at a time', async () => {
  const root = makeRepository({ 'features/a.ts': '', 'features/deep/b.ts': '' });
  let running = 0;
  let most = 0;
  let calls = 0;
  const watching = watchRepository(root, async () => {
    running += 1;
    most = Math.max(most, running);
    await sleep(100);
    running -= 1;
    calls += 1;
  });
  try {
    await sleep(100);
    for (let save = 0; save < 5; save++) writeRepository(root, { 'features/a.ts': `// ${save}` });
    await vi.waitFor(() => expect(calls).toBe(1), 5000);
    writeRepository(root, { 'features/deep/b.ts': '// changed' });
    await vi.waitFor(() => expect(calls).toBe(2), 5000);
    writeRepository(root, { 'featherflight.config.ts': 'export default {}' });
    await vi.waitFor(() => expect(calls).toBe(3), 5000);
    writeRepository(root, { 'notes.txt': 'nothing of ours' });
    await sleep(500);
    expect({ calls, most }).toEqual({ calls: 3, most: 1 });
  } finally {
    watching.close();
  }
});
