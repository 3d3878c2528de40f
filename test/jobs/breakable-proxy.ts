import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Connections to a server that break while answers are on their way. */
export interface BreakableProxy {
  readonly port: number;
  /** Takes requests for a moment without passing their answers on, then cuts all connections; says how many. New ones are taken. */
  breakConnections(): Promise<number>;
  stop(): void;
}

export async function startBreakableProxy(target: { port: number }): Promise<BreakableProxy> {
  const pairs = new Set<{ client: Socket; server: Socket }>();
  const proxy = createServer((client) => {
    const server = connect(target.port, '127.0.0.1');
    const pair = { client, server };
    pairs.add(pair);
    client.pipe(server);
    server.pipe(client);
    for (const socket of [client, server]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        server.destroy();
        pairs.delete(pair);
      });
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: (proxy.address() as AddressInfo).port,
    async breakConnections() {
      const broken = [...pairs];
      for (const { client, server } of broken) server.unpipe(client);
      await sleep(20);
      for (const { client } of broken) client.destroy();
      return broken.length;
    },
    stop() {
      proxy.close();
      for (const { client } of pairs) client.destroy();
    },
  };
}
