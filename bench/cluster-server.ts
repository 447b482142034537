/** A process with a large cluster in a strict API server. Its first line is the kubeconfig; it ends with its standard input. */
import { startApiServer } from '../test/kubernetes/api-server/server.js';
import { fillCluster } from './big-cluster.js';

const [, , nodesText = '0', podsText = '0', gpuShareText = '1'] = process.argv;
const nodes = Number(nodesText);
const gpuNodes = Math.round(nodes * Number(gpuShareText));

const server = await startApiServer();
fillCluster({ nodes, pods: Number(podsText), gpuNodes, idleNodes: 0 }, (objects) => server.seed(objects));
process.stdout.write(`${server.kubeconfigPath}\n`);
process.stdin.resume();
process.stdin.on('end', () => void server.close().then(() => process.exit(0)));
