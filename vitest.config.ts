import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    alias: {
      "leafgrad/doctor": fileURLToPath(new URL("./src/doctor/index.ts", import.meta.url)),
      leafgrad: fileURLToPath(new URL("./src/index.ts", import.meta.url)),
    },
  },
  test: { include: ["tests/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
});
