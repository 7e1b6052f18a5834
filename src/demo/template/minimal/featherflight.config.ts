import { defineConfig } from 'featherflight';

export default defineConfig({
  project: 'my_project',
  // What clients may name by path; nothing else of this machine is readable to them.
  readable: ['data'],
});
