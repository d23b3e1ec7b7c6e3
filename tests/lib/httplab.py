# SPDX-License-Identifier: Apache-2.0
"""What stands beside a proxy that reads HTTP: a server that remembers its requests, a client that says what it likes.

    with httplab.Web() as web: ... web.address, web.requests: (method, path, [(field, value)], body)
"""
import http.server, json, threading

class Web:
    """answer: (request) -> (status, body) of the requests that it gets."""
    def __init__(self, answer=lambda request: (200, b"seen"), context=None):
        self.requests, self.peers = [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def body(self):
                if self.headers.get("Transfer-Encoding") == "chunked":
                    got = b""
                    while n := int(self.rfile.readline(), 16):
                        got += self.rfile.read(n)
                        assert self.rfile.readline() == b"\r\n"
                    while self.rfile.readline() != b"\r\n":
                        got += b"TRAILER"
                    return got
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))

            def do_GET(self):
                request = self.command, self.path, self.headers.items(), self.body()
                outer.requests.append(request)
                outer.peers.append(self.connection.getpeercert() if context else self.client_address)
                if self.headers.get("Upgrade"):
                    return self.upgrade()
                status, body = answer(request)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def upgrade(self):
                self.close_connection = True
                self.send_response(101)
                self.send_header("Upgrade", "websocket")
                self.end_headers()
                self.wfile.flush()
                while got := self.rfile.read1(65536):
                    self.wfile.write(got.upper())

            do_POST = do_GET

            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 128

            def handle_error(self, *who):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.server.shutdown()
        self.server.server_close()

def fields(request, prefix="x-sardane"):
    """[(field, value)] of a request whose names begin so, whatever parts them."""
    return [(k, v) for k, v in request[2] if k.lower().replace("_", "-").replace(".", "-").startswith(prefix)]

def until(s, end):
    """What comes on a socket up to and with end."""
    got = b""
    while not got.endswith(end):
        more = s.recv(65536)
        assert more, f"the end came after {got}"
        got += more
    return got

def post(s, message, path="/", more=""):
    """(status, answer) to a JSON message on a connection that stays."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    s.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    f = s.makefile("rb")
    status = int(f.readline().split()[1])
    n = 0
    while (line := f.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            n = int(line.split(b":")[1])
    answer = f.read(n)
    f.close()
    return status, answer
