import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), svelteTesting()],
  server: {
    port: 1420,
    strictPort: true,
    // A test reads the sentences in the crates' sources, to see that each is said in Dutch, too.
    ...(mode === 'test' ? { fs: { allow: ['..'] } } : {}),
  },
  preview: {
    port: 1421,
    strictPort: true,
    // As strict as the app's own (src-tauri/tauri.conf.json), so that the pictures prove it.
    headers: {
      'Content-Security-Policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'",
    },
  },
  build: {
    target: ['chrome111', 'safari16.4'],
    // The window's content security policy has no `data:`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: 'jsdom',
    // A loaded machine is slow, which is no failure.
    testTimeout: 30_000,
    setupFiles: ['test/setup.ts'],
    include: ['test/**/*.test.ts'],
  },
}));
