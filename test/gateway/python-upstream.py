"""A payment service in another language: HTTP/1.1, connections kept, each payment counted. Prints its port."""
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

payments = []
lock = threading.Lock()


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        with lock:
            body = json.dumps(payments).encode()
        self.answer(200, body, {"content-type": "application/json"})

    def do_POST(self):
        amount = json.loads(self.rfile.read(int(self.headers["content-length"])))["amount"]
        with lock:
            payments.append({"key": self.headers["idempotency-key"], "attempt": self.headers["idempotency-attempt"], "amount": amount})
            number = len(payments)
        if amount == 666:
            # Executed, and nobody hears of it.
            self.close_connection = True
            self.connection.close()
            return
        body = json.dumps({"id": f"pay_{number}", "amount": amount}).encode()
        if "gzip" in self.headers.get("accept-encoding", ""):
            self.answer(201, gzip.compress(body), {"content-type": "application/json", "content-encoding": "gzip"})
        else:
            self.answer(201, body, {"content-type": "application/json"})

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
print(server.server_address[1], flush=True)
server.serve_forever()
