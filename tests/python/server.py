"""A grpcio server for gufo clients: server.py DESCRIPTORS; prints its port, ends with its input."""

import sys
import threading
from concurrent import futures

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from greeter import ENDLESS, UNKNOWN, Greeter


class Service:
    """The handlers."""

    def __init__(self, greeter):
        self.greeter = greeter

    def hello(self, request, context):
        if request.name == UNKNOWN:
            info = any_pb2.Any()
            info.Pack(error_details_pb2.ErrorInfo(reason="NOBODY", domain="greeter"))
            status = status_pb2.Status(
                code=grpc.StatusCode.NOT_FOUND.value[0], message="nobody is here: ü", details=[info]
            )
            rich = rpc_status.to_status(status)
            trailers = rich.trailing_metadata + (("x-why", "gone"),)
            context.abort_with_status(rich._replace(trailing_metadata=trailers))
        if request.name == ENDLESS:
            ended = threading.Event()
            context.add_callback(ended.set)
            ended.wait()
            context.abort(grpc.StatusCode.CANCELLED, "given up")
        context.send_initial_metadata((("x-ahead", "1"),))
        user = dict(context.invocation_metadata()).get("x-user")
        suffix = f" from {user}" if user else ""
        return self.greeter.HelloReply(message=f"hello {request.name}{suffix}")

    def count(self, request, context):
        for number in range(1, request.to + 1):
            yield self.greeter.CountReply(number=number)

    def sum(self, requests, context):
        return self.greeter.SumReply(total=sum(request.number for request in requests))

    def chat(self, requests, context):
        for request in requests:
            yield self.greeter.ChatMessage(text=f"re: {request.text}")


def main():
    greeter = Greeter(sys.argv[1])
    service = Service(greeter)

    def handler(kind, function, request):
        return kind(
            function,
            request_deserializer=request.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )

    methods = {
        "Hello": handler(grpc.unary_unary_rpc_method_handler, service.hello, greeter.HelloRequest),
        "Count": handler(grpc.unary_stream_rpc_method_handler, service.count, greeter.CountRequest),
        "Sum": handler(grpc.stream_unary_rpc_method_handler, service.sum, greeter.SumRequest),
        "Chat": handler(grpc.stream_stream_rpc_method_handler, service.chat, greeter.ChatMessage),
    }
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), compression=grpc.Compression.Gzip)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("greeter.Greeter", methods),))
    servicer = health.HealthServicer()
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    reflection.enable_server_reflection(
        ("greeter.Greeter", reflection.SERVICE_NAME), server, pool=greeter.pool
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(grace=0)


main()
