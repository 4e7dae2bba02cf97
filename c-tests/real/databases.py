"""Databases with a thread a connection, under clients that have one too."""

from harness import NATIVE, Failure, test

ACCOUNTS, TRANSFERS, CLIENTS = 200, 3000, 48

# Money moves between two accounts in one transaction, both locked in the order of their numbers: nobody deadlocks.
SCHEMA = f"""
create database bank;
use bank;
create table account (id int primary key, balance int not null) engine=InnoDB;
create table done (id int auto_increment primary key, connection int not null) engine=InnoDB;
insert into account select seq, 1000 from seq_1_to_{ACCOUNTS};
delimiter //
create procedure transfer()
begin
    declare a int default 1 + floor(rand() * {ACCOUNTS});
    declare b int default 1 + floor(rand() * {ACCOUNTS});
    start transaction;
    do (select count(*) from (select id from account where id in (a, b) order by id for update) as locked);
    update account set balance = balance - 7 where id = a;
    update account set balance = balance + 7 where id = b;
    insert into done (connection) values (connection_id());
    commit;
end //
"""
SUMS = "use bank; select sum(balance), (select count(*) from done) from account; check table account, done"


class Server:
    """A MariaDB server with data of its own, reached through a Unix socket."""

    def __init__(self, run):
        self.run = run
        self.data, self.socket = run.directory / "data", run.directory / "db.sock"
        run.run(
            *("mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={self.data}", "--skip-test-db"),
            "--auth-root-authentication-method=normal",
            mode=NATIVE,
        ).must()

    def start(self):
        server = self.run.start(
            *("mariadbd", "--no-defaults", "--user=root", f"--datadir={self.data}", f"--socket={self.socket}"),
            *("--skip-networking", "--max-connections=500", "--innodb-buffer-pool-size=32M"),
            *("--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=2", "--thread-cache-size=4"),
        )
        server.expect("ready for connections", 60)
        return server

    def client(self, program, *argv, mode=NATIVE):
        return self.run.run(program, "--no-defaults", "-uroot", f"-S{self.socket}", *argv, mode=mode, limit=90).must()

    def sql(self, text):
        return self.client("mariadb", "--batch", "-e", text).out


@test("database/mariadb", needs=["mariadbd", "mariadb-install-db", "mariadb-slap"], weight=20)
def mariadb(run):
    """48 clients at once, each a thread of a client program in the mode, on a server in the mode: every transfer is done once, none is
    lost, the server ends cleanly, and finds its data again."""
    server = Server(run)
    with server.start() as running:
        server.sql(SCHEMA)
        server.client(
            *("mariadb-slap", f"--concurrency={CLIENTS}", f"--number-of-queries={TRANSFERS}", "--iterations=1"),
            *("--create-schema=bank", "--no-drop", "--delimiter=;", "--query=call transfer()", "--silent"),
            mode=run.mode,
        )
        sums = server.sql(SUMS)
        connections = int(server.sql("select count(distinct connection) from bank.done").split()[-1])
        if connections < CLIENTS // 2:
            raise Failure(f"only {connections} connections made transfers")
        server.client("mariadb-admin", "shutdown")
        ended = running.wait(60)
    with server.start() as running:
        again = server.sql(SUMS)
        stopped = running.stop(60)
    return f"{sums}\nstatus {ended.status}\n{again}\nstatus {stopped.status}"
