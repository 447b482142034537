/**
 * A strict stand-in for the calls of EKS (REST) and EC2 (query) about managed node groups and launch templates: checks
 * every field against the API model, and makes real-looking mistakes when it is told to.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asXml, queryBody } from './ec2-query.js';
import { factsFrom, mistakesIn, type Json } from './message-check.js';

export interface AskedAws {
  readonly method: string;
  /** The action of a query. */
  readonly path: string;
  readonly body: Json;
}

export type AwsFault =
  | { readonly kind: 'error'; readonly status: number; readonly code: string; readonly message: string }
  /** The connection ends after it was taken. */
  | { readonly kind: 'cut' }
  /** Taken, and the group does not come. */
  | { readonly kind: 'health'; readonly code: string; readonly message: string };

const facts = factsFrom('aws-shapes.json');
const cluster = 'c1';

export class EksServer {
  readonly cluster = cluster;
  readonly asked: AskedAws[] = [];
  readonly groups = new Map<string, Json>();
  readonly templates = new Map<string, Json>();
  /** By instance; the instance's name is its node's. */
  readonly consoles = new Map<string, string>();
  looksPerChange = 2;
  onGroup: (name: string, group: Json) => void = () => undefined;
  readonly #faults: { readonly path: RegExp; readonly fault: AwsFault }[] = [];
  readonly #pending = new Map<string, { looks: number; readonly end: () => void }>();
  readonly #tokens = new Map<string, string>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => (text += String(chunk)));
      request.on('end', () => {
        const path = new URL(request.url ?? '/', 'http://fake').pathname.slice(1);
        const signed = request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 ') === true;
        const isQuery = path === '';
        const form = new URLSearchParams(text);
        const action = form.get('Action') ?? '';
        const asked = isQuery
          ? { method: 'POST', path: action, body: null as Json }
          : { method: request.method ?? '', path, body: text === '' ? null : JSON.parse(text) };
        const index = this.#faults.findIndex((one) => one.path.test(`${asked.method} ${asked.path}`));
        const fault = index < 0 ? undefined : this.#faults.splice(index, 1)[0]?.fault;
        let answer: { status: number; body: Json; code?: string };
        if (!signed) answer = problem(403, 'UnrecognizedClientException', 'not signed');
        else if (isQuery) {
          const read = queryBody(form, facts.ec2.messages, facts.ec2.requests[action] ?? '');
          asked.body = read.body;
          const [mistake] = read.mistakes;
          answer =
            facts.ec2.requests[action] === undefined
              ? problem(400, 'InvalidAction', action)
              : mistake === undefined
                ? this.#query(action, read.body)
                : problem(400, 'UnknownParameter', mistake);
        } else
          answer =
            fault?.kind === 'error'
              ? problem(fault.status, fault.code, fault.message)
              : this.#rest(asked, fault);
        if (isQuery && fault?.kind === 'error') answer = problem(fault.status, fault.code, fault.message);
        this.asked.push(asked);
        if (fault?.kind === 'cut') return void request.socket.destroy();
        if (isQuery) {
          const failed = `<Response><Errors><Error><Code>${answer.code ?? ''}</Code><Message>${asXml(answer.body.message ?? '')}</Message></Error></Errors><RequestID>r</RequestID></Response>`;
          const done = `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>${asXml(answer.body)}</${action}Response>`;
          response.writeHead(answer.status, { 'content-type': 'text/xml;charset=UTF-8' });
          response.end(answer.code === undefined ? done : failed);
          return;
        }
        response.writeHead(answer.status, {
          'content-type': 'application/json',
          ...(answer.code !== undefined && { 'x-amzn-errortype': answer.code }),
        });
        response.end(JSON.stringify(answer.body));
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The next call like this (`POST clusters/…`, `POST CreateLaunchTemplate`) meets the fault. */
  fail(path: RegExp, fault: AwsFault): void {
    this.#faults.push({ path, fault });
  }

  addGroup(group: Json): void {
    const full = { clusterName: cluster, status: 'ACTIVE', health: { issues: [] }, labels: {}, ...group };
    this.groups.set(group.nodegroupName, full);
    this.onGroup(group.nodegroupName, full);
  }

  addTemplate(
    name: string,
    data: Json,
  ): { readonly id: string; readonly name: string; readonly version: string } {
    const id = `lt-0${this.templates.size + 1}`;
    this.templates.set(id, { launchTemplateId: id, launchTemplateName: name, data, tags: [] });
    return { id, name, version: '1' };
  }

  get changes(): readonly string[] {
    return this.asked
      .map(({ method, path }) => `${method} ${path.replace(`clusters/${cluster}/`, '')}`)
      .filter((one) => !one.startsWith('GET') && !/ (Describe|Get)/.test(one));
  }

  #rest(
    { method, path, body }: AskedAws,
    fault: AwsFault | undefined,
  ): { status: number; body: Json; code?: string } {
    const [, of, rest = ''] = /^clusters\/([^/]+)\/node-groups(.*)$/.exec(path) ?? [];
    if (of !== cluster)
      return problem(404, 'ResourceNotFoundException', `No cluster found for name: ${of ?? path}.`);
    if (rest === '' && method === 'GET') return ok({ nodegroups: [...this.groups.keys()] });
    if (rest === '' && method === 'POST') return this.#create(body, fault);
    const [, name = '', verb = ''] = /^\/([^/]+)(\/update-config)?$/.exec(rest) ?? [];
    if (method === 'GET' && verb === '') this.#look(name);
    const group = this.groups.get(name);
    if (group === undefined) {
      return problem(404, 'ResourceNotFoundException', `No node group found for name: ${name}.`);
    }
    if (method === 'GET' && verb === '') return ok({ nodegroup: group });
    if (group.status !== 'ACTIVE' && !group.status.endsWith('_FAILED')) {
      return problem(409, 'ResourceInUseException', `Nodegroup is in ${group.status} state.`);
    }
    if (method === 'DELETE') {
      return this.#took(group, 'DELETING', fault, () => {
        this.groups.delete(name);
        this.onGroup(name, null);
      });
    }
    const wrong = mistakesIn(facts.eks.messages, body, facts.eks.requests.UpdateNodegroupConfig);
    if (method !== 'POST' || wrong.length > 0) return problem(400, 'InvalidParameterException', wrong.join());
    const { minSize, maxSize, desiredSize } = { ...group.scalingConfig, ...body.scalingConfig };
    if (!(minSize <= desiredSize && desiredSize <= maxSize && maxSize >= 1)) {
      return problem(400, 'InvalidParameterException', 'desired capacity must be between min and max');
    }
    return this.#took(group, 'UPDATING', fault, () => {
      group.scalingConfig = { minSize, maxSize, desiredSize };
      group.status = 'ACTIVE';
      this.onGroup(name, group);
    });
  }

  #create(body: Json, fault: AwsFault | undefined): { status: number; body: Json; code?: string } {
    const wrong = mistakesIn(facts.eks.messages, body, facts.eks.requests.CreateNodegroup);
    if (wrong[0] !== undefined) return problem(400, 'InvalidParameterException', wrong[0]);
    const name: string = body.nodegroupName;
    if (this.groups.has(name)) {
      if (this.#tokens.get(name) === body.clientRequestToken) return ok({ nodegroup: this.groups.get(name) });
      return problem(
        409,
        'ResourceInUseException',
        `NodeGroup already exists with name ${name} and cluster name ${cluster}`,
      );
    }
    const template = [...this.templates.values()].find(
      (one) => one.launchTemplateName === body.launchTemplate?.name,
    );
    if (template === undefined)
      return problem(400, 'InvalidRequestException', 'Launch template is not found.');
    if (body.diskSize !== undefined || body.remoteAccess !== undefined) {
      return problem(
        400,
        'InvalidParameterException',
        'Disk size and remote access must be specified within the launch template.',
      );
    }
    const { minSize, maxSize, desiredSize } = body.scalingConfig ?? {};
    if (!(minSize <= desiredSize && desiredSize <= maxSize && maxSize >= 1)) {
      return problem(400, 'InvalidParameterException', 'desired capacity must be between min and max');
    }
    const { clientRequestToken, ...said } = body;
    const group = {
      clusterName: cluster,
      health: { issues: [] },
      ...said,
      launchTemplate: { id: template.launchTemplateId, ...body.launchTemplate },
    };
    this.#tokens.set(name, clientRequestToken);
    this.groups.set(name, group);
    return this.#took(group, 'CREATING', fault, () => {
      group.status = 'ACTIVE';
      this.onGroup(name, group);
    });
  }

  #took(
    group: Json,
    status: string,
    fault: AwsFault | undefined,
    end: () => void,
  ): { status: number; body: Json } {
    group.status = status;
    const failed = (): void => {
      if (fault?.kind !== 'health') return;
      group.status = status === 'CREATING' ? 'CREATE_FAILED' : 'DELETE_FAILED';
      group.health = { issues: [{ code: fault.code, message: fault.message, resourceIds: [] }] };
    };
    this.#pending.set(group.nodegroupName, { looks: 0, end: fault?.kind === 'health' ? failed : end });
    return ok({ nodegroup: { ...group } });
  }

  #look(name: string): void {
    const pending = this.#pending.get(name);
    if (pending === undefined) return;
    pending.looks += 1;
    if (pending.looks < this.looksPerChange) return;
    this.#pending.delete(name);
    pending.end();
  }

  #query(action: string, body: Json): { status: number; body: Json; code?: string } {
    const all = [...this.templates.values()];
    switch (action) {
      case 'CreateLaunchTemplate': {
        const name: string = body.LaunchTemplateName;
        if (all.some((one) => one.launchTemplateName === name)) {
          return problem(
            400,
            'InvalidLaunchTemplateName.AlreadyExistsException',
            'Launch template name already in use.',
          );
        }
        if (!/^[a-zA-Z0-9().\-/_]{3,128}$/.test(name))
          return problem(400, 'InvalidLaunchTemplateName.MalformedException', name);
        this.addTemplate(name, body.LaunchTemplateData ?? {});
        const made = [...this.templates.values()].at(-1);
        made.tags = body.TagSpecification?.[0]?.Tag ?? [];
        return ok({
          launchTemplate: {
            launchTemplateId: made.launchTemplateId,
            launchTemplateName: name,
            latestVersionNumber: 1,
          },
        });
      }
      case 'DescribeLaunchTemplateVersions': {
        const found = this.templates.get(body.LaunchTemplateId);
        if (found === undefined)
          return problem(400, 'InvalidLaunchTemplateId.NotFound', body.LaunchTemplateId);
        const { UserData, KeyName, ImageId } = found.data;
        const launchTemplateData = {
          ...(UserData !== undefined && { userData: UserData }),
          ...(KeyName !== undefined && { keyName: KeyName }),
          ...(ImageId !== undefined && { imageId: ImageId }),
        };
        const { launchTemplateId, launchTemplateName } = found;
        return ok({
          launchTemplateVersionSet: [
            { launchTemplateId, launchTemplateName, versionNumber: 1, launchTemplateData },
          ],
        });
      }
      case 'DescribeLaunchTemplates': {
        const filters: Json[] = body.Filter ?? [];
        const found = all.filter(({ tags }) =>
          filters.every(({ Name, Value }) =>
            tags.some((tag: Json) => `tag:${tag.Key}` === Name && Value.includes(tag.Value)),
          ),
        );
        return ok({
          launchTemplates: found.map(({ launchTemplateId, launchTemplateName }) => ({
            launchTemplateId,
            launchTemplateName,
          })),
        });
      }
      case 'DeleteLaunchTemplate':
        this.templates.delete(body.LaunchTemplateId);
        return ok({ launchTemplate: { launchTemplateId: body.LaunchTemplateId } });
      case 'DescribeInstances': {
        const node = body.Filter?.[0]?.Value?.[0];
        const instances = this.consoles.has(node) ? [{ instanceId: `i-${node}` }] : [];
        return ok({ reservationSet: [{ reservationId: 'r-1', instancesSet: instances }] });
      }
      case 'GetConsoleOutput': {
        const said = this.consoles.get(String(body.InstanceId).slice(2)) ?? '';
        return ok({ instanceId: body.InstanceId, output: Buffer.from(said).toString('base64') });
      }
      default:
        return problem(400, 'InvalidAction', action);
    }
  }
}

function ok(body: Json): { status: number; body: Json } {
  return { status: 200, body };
}

function problem(
  status: number,
  code: string,
  message: string,
): { status: number; body: Json; code: string } {
  return { status, code, body: { message } };
}
