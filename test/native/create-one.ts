/** A process of its own that makes one 1g instance: `create-one.ts LIBRARY GPU_UUID`. */
import { openNvml } from '#adapters/nvml/driver';

const [libraryPath = '', uuid = ''] = process.argv.slice(2);
const driver = await openNvml({ libraryPath });
await driver.createGpuInstance(uuid, 19, 0);
await driver.close();
