import { type EtcdServer, startEtcd } from "./etcd-server.js";
import { freePort } from "./free-port.js";

/** One etcd of three members on loopback. */
export interface EtcdCluster {
  readonly members: readonly EtcdServer[];
  /** The member that leads now. @throws Error while there is none */
  leader(): Promise<EtcdServer>;
  /** A fourth member, which only learns; `stop` ends it too. */
  addLearner(): Promise<EtcdServer>;
  stop(): Promise<void>;
}

/** Resolves when it has a leader; about a second. */
export async function startEtcdCluster(name = "cluster"): Promise<EtcdCluster> {
  const names = [0, 1, 2].map((at) => `${name}-${at}`);
  const peers = await Promise.all(names.map(async (one) => new Peer(one, await freePort())));
  // The cluster's id is made of it: without one two clusters on one port, one after the other, would be the same.
  const token = `--initial-cluster-token=${crypto.randomUUID()}`;
  const members = await Promise.all(
    peers.map(async (peer) =>
      startEtcd({ name: peer.name, extraArgs: [...peer.among(peers), token] }),
    ),
  );
  return new LocalCluster(name, peers, members);
}

/** Where one member hears the others. */
class Peer {
  readonly url: string;

  constructor(
    readonly name: string,
    port: number,
  ) {
    this.url = `http://127.0.0.1:${port}`;
  }

  among(peers: readonly Peer[]): readonly string[] {
    return [
      `--listen-peer-urls=${this.url}`,
      `--initial-advertise-peer-urls=${this.url}`,
      `--initial-cluster=${peers.map(({ name, url }) => `${name}=${url}`).join(",")}`,
      // Members may be added at once, not only when all have been connected for five seconds.
      "--strict-reconfig-check=false",
      // A second of silence ends a term: members that share two cores with others are not faster.
      "--election-timeout=1000",
      "--heartbeat-interval=100",
    ];
  }
}

class LocalCluster implements EtcdCluster {
  readonly #learners: EtcdServer[] = [];

  constructor(
    private readonly name: string,
    private readonly peers: readonly Peer[],
    readonly members: readonly EtcdServer[],
  ) {}

  async leader(): Promise<EtcdServer> {
    for (const member of this.members) {
      const text = await member.etcdctl(["endpoint", "status", "--write-out=json"]).catch(() => "");
      const own = /"member_id":(\d+)/.exec(text)?.[1];
      const leader = /"leader":(\d+)/.exec(text)?.[1];
      if (own !== undefined && own === leader) return member;
    }
    throw new Error(`${this.name} has no leader`);
  }

  async addLearner(): Promise<EtcdServer> {
    const peer = new Peer(`${this.name}-learner`, await freePort());
    const leader = await this.leader();
    await leader.etcdctl(["member", "add", peer.name, "--learner", `--peer-urls=${peer.url}`]);
    const learner = await startEtcd({
      name: peer.name,
      isLearner: true,
      extraArgs: [...peer.among([...this.peers, peer]), "--initial-cluster-state=existing"],
    });
    this.#learners.push(learner);
    return learner;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.members, ...this.#learners].map(async (one) => one.stop()));
  }
}
