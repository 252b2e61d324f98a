"""A grpcio client against a gufo server: client.py ADDRESS DESCRIPTORS CHECK."""

import sys

import grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_status import rpc_status

from greeter import ENDLESS, UNKNOWN, Greeter

WAIT = 20


class Client:
    """Callables of all four methods."""

    def __init__(self, channel, greeter):
        def callable_of(kind, method, reply):
            return kind(
                f"/greeter.Greeter/{method}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=reply.FromString,
            )

        self.hello = callable_of(channel.unary_unary, "Hello", greeter.HelloReply)
        self.count = callable_of(channel.unary_stream, "Count", greeter.CountReply)
        self.sum = callable_of(channel.stream_unary, "Sum", greeter.SumReply)
        self.chat = callable_of(channel.stream_stream, "Chat", greeter.ChatMessage)


def unary(channel, greeter, client):
    metadata = (("x-user", "barn"), ("x-ignored-bin", b"\x00\xff"))
    reply, call = client.hello.with_call(
        greeter.HelloRequest(name="owl"), metadata=metadata, timeout=WAIT
    )
    assert reply.message == "hello owl from barn", reply
    ahead = dict(call.initial_metadata())
    assert ahead["x-ahead"] == "1" and ahead["x-raw-bin"] == b"\x00\xff", ahead
    assert dict(call.trailing_metadata())["x-after"] == "2"


def server_stream(channel, greeter, client):
    numbers = [reply.number for reply in client.count(greeter.CountRequest(to=1000), timeout=WAIT)]
    assert numbers == list(range(1, 1001)), numbers[:10]


def client_stream(channel, greeter, client):
    requests = (greeter.SumRequest(number=number) for number in range(1, 101))
    assert client.sum(requests, timeout=WAIT).total == 5050


def bidi(channel, greeter, client):
    requests = (greeter.ChatMessage(text=text) for text in ("one", "two"))
    assert [reply.text for reply in client.chat(requests, timeout=WAIT)] == ["re: one", "re: two"]


def error_with_details(channel, greeter, client):
    try:
        client.hello(greeter.HelloRequest(name=UNKNOWN), timeout=WAIT)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.NOT_FOUND, error
        assert error.details() == "nobody is here: ü", error.details()
        assert dict(error.trailing_metadata())["x-why"] == "gone"
        status = rpc_status.from_call(error)
        info = error_details_pb2.ErrorInfo()
        assert status.details[0].Unpack(info)
        assert (info.reason, info.domain) == ("NOBODY", "greeter"), info
        return
    raise AssertionError("no error")


def deadline(channel, greeter, client):
    try:
        client.hello(greeter.HelloRequest(name=ENDLESS), timeout=0.2)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
        return
    raise AssertionError("no error")


def cancellation(channel, greeter, client):
    call = client.hello.future(greeter.HelloRequest(name=ENDLESS), timeout=WAIT)
    call.cancel()
    assert call.cancelled()
    # The connection lives on.
    client.hello(greeter.HelloRequest(name="owl"), timeout=WAIT)
    replies = client.count(greeter.CountRequest(to=1 << 30), timeout=WAIT)
    assert next(replies).number == 1
    replies.cancel()
    client.hello(greeter.HelloRequest(name="owl"), timeout=WAIT)


def compression(channel, greeter, client):
    name = "owl" * 10_000
    reply = client.hello(
        greeter.HelloRequest(name=name), compression=grpc.Compression.Gzip, timeout=WAIT
    )
    assert reply.message == f"hello {name}"


def unknown_method(channel, greeter, client):
    nothing = channel.unary_unary("/greeter.Greeter/Nothing")
    try:
        nothing(b"", timeout=WAIT)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error
        return
    raise AssertionError("no error")


def large_message(channel, greeter, client):
    name = "x" * 3_000_000
    assert len(client.hello(greeter.HelloRequest(name=name), timeout=WAIT).message) == 3_000_006
    try:
        client.hello(greeter.HelloRequest(name="x" * 5_000_000), timeout=WAIT)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
    else:
        raise AssertionError("no error")
    client.hello(greeter.HelloRequest(name="owl"), timeout=WAIT)


def health(channel, greeter, client):
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", "greeter.Greeter"):
        reply = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=WAIT)
        assert reply.status == health_pb2.HealthCheckResponse.SERVING, reply
    watched = stub.Watch(health_pb2.HealthCheckRequest(service="a.B"), timeout=WAIT)
    assert next(watched).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    watched.cancel()


def reflection(channel, greeter, client):
    database = ProtoReflectionDescriptorDatabase(channel)
    services = database.get_services()
    assert "greeter.Greeter" in services, services
    pool = DescriptorPool(database)
    service = pool.FindServiceByName("greeter.Greeter")
    names = sorted(method.name for method in service.methods)
    assert names == ["Chat", "Count", "Hello", "Sum"], names
    hello = service.FindMethodByName("Hello")
    assert [field.name for field in hello.input_type.fields] == ["name"]


def main():
    address, descriptors, check = sys.argv[1:]
    greeter = Greeter(descriptors)
    with grpc.insecure_channel(address) as channel:
        globals()[check](channel, greeter, Client(channel, greeter))
    print("ok")


main()
